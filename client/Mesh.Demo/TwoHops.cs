using System.Diagnostics;
using System.Text.Json;

namespace Mesh.Demo;

/// <summary>A request that one application answers with the help of another, which it calls by name: one trace.</summary>
internal sealed class TwoHops(Cluster cluster, SpanReceiver? spans, Teller tell, Answers answers, CancellationToken stop)
{
    /// <summary>From the Ingress to the second Pod; each process has a span for what it is asked and one for what it asks.</summary>
    private static readonly string[] Hops = ["mesh-ingress", "mesh-ingress", "my-frontend", "my-frontend", "my-api"];

    public async Task ShowAsync()
    {
        tell.Chapter("One application calls another by name: one trace");
        var menu = new Uri(cluster.Ingress, "/menu");
        await Cluster.WaitAsync("both Services answer", async token => await answers.TryGetAsync(menu, Story.IngressHost, token) is not null, null, stop);

        // The flag 01 says that whoever asks records this request, so that everybody does.
        var (trace, span) = (ActivityTraceId.CreateRandom().ToString(), ActivitySpanId.CreateRandom().ToString());
        var answer = await answers.TryGetAsync(menu, Story.IngressHost, stop, $"00-{trace}-{span}-01") ?? throw new DemoException($"GET {menu} was not answered");
        var second = answer.GetProperty("menu");
        tell.Fact(
            Pod(answer) == "frontend-1" && Pod(second) == "api-1" && second.GetProperty("traceparent").GetString()!.Contains(trace, StringComparison.Ordinal),
            $"GET /menu was answered by {Pod(answer)}, which asked http://my-api-service and got the answer of {Pod(second)}");
        if (spans is null)
        {
            tell.Say($"trace {trace}: search for it where OpenTelemetry's variables send it, {SpanReceiver.OfUser}");
            return;
        }

        await ShowSpansAsync(spans, trace, span);
    }

    private async Task ShowSpansAsync(SpanReceiver receiver, string trace, string asked)
    {
        List<ReceivedSpan> path = [];
        await Cluster.WaitAsync(
            $"the spans of trace {trace}",
            _ => Task.FromResult((path = PathTo(Hops[^1], [.. receiver.Spans.Where(span => span.TraceId == trace)], asked)).Count > 0),
            null,
            stop);
        tell.Fact(path.Select(span => span.Service).SequenceEqual(Hops), $"trace {trace}: its spans came, each from the process that made it");
        foreach (var (depth, span) in path.Index())
        {
            tell.Say($"  {span.Id}  {new string(' ', 2 * depth)}{span.Service}: {span.Name}");
        }

        tell.Say("to see traces in Jaeger or the Aspire dashboard: docs/tracing.md");
    }

    /// <summary>From the request that was sent down to the span of this service; empty while one between is missing.</summary>
    private static List<ReceivedSpan> PathTo(string service, List<ReceivedSpan> trace, string asked)
    {
        var path = new List<ReceivedSpan>();
        for (var at = trace.Find(span => span.Service == service); at is not null && path.Count < trace.Count; at = trace.Find(span => span.Id == path[0].ParentId))
        {
            path.Insert(0, at);
            if (at.ParentId == asked)
            {
                return path;
            }
        }

        return [];
    }

    private static string? Pod(JsonElement answer) => answer.GetProperty("pod").GetString();
}
