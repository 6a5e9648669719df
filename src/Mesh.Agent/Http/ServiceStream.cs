using System.Buffers;
using System.IO.Pipelines;
using Mesh.Agent.Discovery;
using Mesh.Agent.Registrations;
using Mesh.Core.Routing;
using Microsoft.AspNetCore.Http;

namespace Mesh.Agent.Http;

/// <summary>The answer to a watch: the whole Service a line, as a Kubernetes watch, until it is deleted or the node stops.</summary>
internal sealed class ServiceStream(AgentService agent, ServiceWatch watch)
{
    /// <summary>A watch whose client takes nothing for so long is ended: it holds a place that another may have.</summary>
    public static readonly TimeSpan LongestStall = TimeSpan.FromSeconds(30);

    /// <summary>Changes that come closer than this are one: a line is the whole Service, and a rollout of it many changes.</summary>
    private static readonly TimeSpan LeastPause = TimeSpan.FromMilliseconds(20);

    /// <summary>So much of a line is in memory for one client at a time; the document itself is there once for all of them.</summary>
    private const int Slice = 16 * 1024;

    public async Task WriteAsync(HttpContext context)
    {
        using var stalled = new CancellationTokenSource(Timeout.InfiniteTimeSpan, agent.Time);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, agent.Stopping, stalled.Token);
        try
        {
            context.Response.ContentType = "application/x-ndjson";
            context.Response.Headers.CacheControl = "no-store";
            await context.Response.StartAsync(over.Token);
            await WriteChangesAsync(new Output(context.Response.BodyWriter, stalled, over.Token), over.Token);
        }
        catch (OperationCanceledException) when (stalled.IsCancellationRequested)
        {
            // Its line is not whole, so nor is the answer.
            agent.Logger.WatchStalled(watch.Name.ToString(), watch.User, LongestStall.TotalSeconds);
            context.Abort();
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

    private async Task WriteChangesAsync(Output output, CancellationToken over)
    {
        var type = "ADDED";
        ServiceRoute? shown = null;
        ReadOnlyMemory<byte> document = default;
        while (true)
        {
            var routes = agent.Routing.Current;
            if (!routes.Services.TryGetValue(watch.Name, out var route) && shown is not null)
            {
                await output.WriteAsync("DELETED", document);
                return;
            }

            if (route is null)
            {
                // Deleted between the question and the watch.
                await output.WriteAsync(PodDocument.StatusLine(ServicesApi.Find(routes, watch.Name, out _)!));
                return;
            }

            // Unknown is not empty: a Service that was made anew is shown when its endpoints are known.
            if (!ReferenceEquals(route, shown) && ServicesApi.Find(routes, watch.Name, out _) is null)
            {
                document = watch.Service.Document(route, routes.Version, agent.ClusterDomain);
                await output.WriteAsync(type, document);
                (shown, type) = (route, "MODIFIED");
                await Task.Delay(LeastPause, agent.Time, over);
            }

            await watch.ChangedAsync(over);
        }
    }

    /// <summary>Lines, piece by piece: each is taken by the client before the next is written.</summary>
    private sealed class Output(PipeWriter writer, CancellationTokenSource stalled, CancellationToken over)
    {
        /// <param name="document">With a newline at its end, which goes behind the whole.</param>
        public async Task WriteAsync(string type, ReadOnlyMemory<byte> document)
        {
            writer.Write(PodDocument.LineBegin(type));
            for (var rest = document[..^1]; !rest.IsEmpty;)
            {
                var slice = rest[..Math.Min(rest.Length, Slice)];
                rest = rest[slice.Length..];
                writer.Write(slice.Span);
                if (rest.IsEmpty)
                {
                    writer.Write(PodDocument.LineEnd);
                }

                await FlushAsync();
            }
        }

        public Task WriteAsync(ReadOnlySpan<byte> line)
        {
            writer.Write(line);
            return FlushAsync();
        }

        private async Task FlushAsync()
        {
            stalled.CancelAfter(LongestStall);
            await writer.FlushAsync(over);
            over.ThrowIfCancellationRequested();
            stalled.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }
}
