using Mesh.Agent.Pods;
using Mesh.Agent.Registrations;
using Microsoft.AspNetCore.Http;

namespace Mesh.Agent.Http;

/// <summary>The answer to a PUT: one JSON object a line for as long as the Pod lives, as a Kubernetes watch.</summary>
internal sealed class RegistrationStream(AgentService agent, RegisteredPod pod, Lease lease)
{
    public async Task WriteAsync(HttpContext context)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, agent.Stopping);
        try
        {
            context.Response.ContentType = "application/x-ndjson";
            context.Response.Headers.CacheControl = "no-store";
            await WriteChangesAsync(context.Response, over.Token);
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // The client is gone, or the node stops.
        }
        catch (IOException)
        {
            // The client is gone while it was written to.
        }
        finally
        {
            // When the node stops, the client lives on, and takes its Pod up again at the next node.
            if (!agent.Stopping.IsCancellationRequested)
            {
                await agent.Pods.StreamClosedAsync(pod, lease);
            }
        }
    }

    private async Task WriteChangesAsync(HttpResponse response, CancellationToken over)
    {
        var type = "ADDED";
        byte[] shown = [];
        while (true)
        {
            var end = lease.End;
            var line = Line(end is LeaseEnd.Deleted ? "DELETED" : type);
            // A change that shows nothing new is none (liveness counts on with every report).
            if (end is LeaseEnd.Refused refused)
            {
                await SendAsync(response, PodDocument.StatusLine(refused.Why), over);
            }
            else if (end is not LeaseEnd.TakenOver && !line.AsSpan().SequenceEqual(shown))
            {
                await SendAsync(response, line, over);
            }

            if (end is not null)
            {
                return;
            }

            shown = type == "ADDED" ? Line("MODIFIED") : line;
            type = "MODIFIED";
            await lease.ChangedAsync(over);
        }
    }

    private byte[] Line(string type)
    {
        lock (agent.Table.Gate)
        {
            return PodDocument.Line(type, pod.Facts, pod.Shown);
        }
    }

    private static async Task SendAsync(HttpResponse response, byte[] line, CancellationToken over)
    {
        await response.BodyWriter.WriteAsync(line, over);
        await response.BodyWriter.FlushAsync(over);
    }
}
