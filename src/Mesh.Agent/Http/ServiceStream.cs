using Mesh.Agent.Discovery;
using Mesh.Agent.Registrations;
using Mesh.Core.Routing;
using Microsoft.AspNetCore.Http;

namespace Mesh.Agent.Http;

/// <summary>The answer to a watch: the whole Service a line, as a Kubernetes watch, until it is deleted or the node stops.</summary>
internal sealed class ServiceStream(AgentService agent, ServiceWatch watch)
{
    /// <summary>Changes that come closer than this are one: a line is the whole Service, and a rollout of it many changes.</summary>
    private static readonly TimeSpan LeastPause = TimeSpan.FromMilliseconds(20);

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
            // The client is gone, or the node stops: then the answer ends here, whole.
        }
        catch (IOException)
        {
            // The client is gone while it was written to.
        }
    }

    private async Task WriteChangesAsync(HttpResponse response, CancellationToken over)
    {
        var type = "ADDED";
        ServiceRoute? shown = null;
        byte[] document = [];
        while (true)
        {
            var routes = agent.Routing.Current;
            if (!routes.Services.TryGetValue(watch.Name, out var route) && shown is not null)
            {
                await SendAsync(response, PodDocument.Line("DELETED", document), over);
                return;
            }

            if (route is null)
            {
                // Deleted between the question and the watch.
                await SendAsync(response, PodDocument.StatusLine(ServicesApi.Find(routes, watch.Name, out _)!), over);
                return;
            }

            // Unknown is not empty: a Service that was made anew is shown when its endpoints are known.
            if (!ReferenceEquals(route, shown) && ServicesApi.Find(routes, watch.Name, out _) is null)
            {
                document = watch.Service.Document(route, routes.Version, agent.ClusterDomain);
                await SendAsync(response, PodDocument.Line(type, document), over);
                (shown, type) = (route, "MODIFIED");
                await Task.Delay(LeastPause, agent.Time, over);
            }

            await watch.ChangedAsync(over);
        }
    }

    private static async Task SendAsync(HttpResponse response, byte[] line, CancellationToken over)
    {
        await response.BodyWriter.WriteAsync(line, over);
        await response.BodyWriter.FlushAsync(over);
    }
}
