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
            await WriteChangesAsync(lease, Read, line => SendAsync(context.Response, line, over.Token), over.Token);
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

    /// <summary>One line for what there is, then one for each change of what <paramref name="read"/> shows, until the lease ends.</summary>
    internal static async Task WriteChangesAsync(Lease lease, Func<byte[]> read, Func<byte[], Task> send, CancellationToken over)
    {
        var type = "ADDED";
        byte[] shown = [];
        while (true)
        {
            var end = lease.End;
            // What counts as shown is the state that was sent, not the one there is when the sending is over.
            var state = read();
            if (end is LeaseEnd.Refused refused)
            {
                await send(PodDocument.StatusLine(refused.Why));
            }
            else if (end is LeaseEnd.Deleted)
            {
                await send(PodDocument.Line("DELETED", state));
            }
            // A change that shows nothing new is none (liveness counts on with every report).
            else if (end is not LeaseEnd.TakenOver && !state.AsSpan().SequenceEqual(shown))
            {
                await send(PodDocument.Line(type, state));
            }

            if (end is not null)
            {
                return;
            }

            (shown, type) = (state, "MODIFIED");
            await lease.ChangedAsync(over);
        }
    }

    private byte[] Read()
    {
        lock (agent.Table.Gate)
        {
            return PodDocument.One(pod.Facts, pod.Shown);
        }
    }

    private static async Task SendAsync(HttpResponse response, byte[] line, CancellationToken over)
    {
        await response.BodyWriter.WriteAsync(line, over);
        await response.BodyWriter.FlushAsync(over);
    }
}
