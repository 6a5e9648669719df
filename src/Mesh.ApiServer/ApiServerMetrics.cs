using System.Diagnostics;
using System.Diagnostics.Metrics;
using Mesh.ApiServer.Requests;
using Mesh.ApiServer.Resources;
using Microsoft.AspNetCore.Http;

namespace Mesh.ApiServer;

/// <summary>The instruments of the API. Attributes have few values: kinds and verbs, never names or namespaces.</summary>
public static class ApiServerMetrics
{
    /// <summary>The name to subscribe to.</summary>
    public const string MeterName = "Mesh.ApiServer";

    private static readonly Meter Meter = new(MeterName);

    private static readonly Histogram<double> RequestDuration = Meter.CreateHistogram<double>(
        "http.server.request.duration",
        "s",
        "Duration of requests of the Kubernetes API, a watch's until it ends",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] });

    private static readonly UpDownCounter<long> ActiveWatches = Meter.CreateUpDownCounter<long>("mesh.watch.active", "{watch}", "Open watches");

    internal static void Answered(HttpContext context, ResourceRequest? request, TimeSpan took)
    {
        if (!RequestDuration.Enabled)
        {
            return;
        }

        var tags = new TagList
        {
            { "http.request.method", MethodOf(context.Request) },
            { "http.response.status_code", context.Response.StatusCode },
            { "url.scheme", context.Request.Scheme },
        };
        if (request is not null)
        {
            tags.Add("mesh.api.resource", request.Resource.Qualified);
            tags.Add("mesh.api.verb", Verb(context.Request, request));
        }

        RequestDuration.Record(took.TotalSeconds, tags);
    }

    internal static void WatchStarted(Resource resource) => ActiveWatches.Add(1, Kind(resource));

    internal static void WatchEnded(Resource resource) => ActiveWatches.Add(-1, Kind(resource));

    private static KeyValuePair<string, object?> Kind(Resource resource) => new("mesh.api.resource", resource.Qualified);

    // The words of Kubernetes' audit log and RBAC rules.
    internal static string Verb(HttpRequest http, ResourceRequest request) => (http.Method, request.IsCollection) switch
    {
        ("GET", _) when request.IsWatch || ListOptions.IsWatchAsked(http) => "watch",
        ("GET", true) => "list",
        ("GET", false) => "get",
        ("POST", _) => "create",
        ("PUT", _) => "update",
        ("PATCH", _) => "patch",
        ("DELETE", true) => "deletecollection",
        ("DELETE", false) => "delete",
        _ => "other",
    };

    /// <summary>A client may send any word (semantic conventions, HTTP).</summary>
    internal static string MethodOf(HttpRequest http) =>
        http.Method is "GET" or "HEAD" or "POST" or "PUT" or "PATCH" or "DELETE" or "OPTIONS" ? http.Method : "_OTHER";
}
