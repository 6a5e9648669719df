using System.Diagnostics;
using System.Globalization;
using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Requests;
using Microsoft.AspNetCore.Http;

namespace Mesh.ApiServer;

/// <summary>The SERVER span of an API request, above what the grains do for it (OpenTelemetry HTTP semantic conventions 1.23 and later).</summary>
public static class ApiTracing
{
    /// <summary>The name to subscribe to.</summary>
    public const string SourceName = "Mesh.ApiServer";

    private static readonly ActivitySource Source = new(SourceName);

    internal static Activity? Start(HttpContext context, ResourceRequest? request)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        var http = context.Request;
        var method = ApiServerMetrics.MethodOf(http);
        var route = request is null ? null : Route(request);
        ActivityContext.TryParse(http.Headers.TraceParent, http.Headers.TraceState.ToString() is { Length: > 0 } state ? state : null, isRemote: true, out var parent);
        // The host's own activity, which is exported nowhere, would be taken for the parent.
        Activity.Current = null;
        var span = Source.StartActivity(
            $"{(method == "_OTHER" ? "HTTP" : method)} {route}".TrimEnd(),
            ActivityKind.Server,
            parent,
            // Given at the start, as samplers look at it.
            [new("http.request.method", method)]);
        if (span is { IsAllDataRequested: true })
        {
            Describe(span, context, request, route);
        }

        if (span is not null && request is not null && ApiServerMetrics.Verb(http, request) == "watch")
        {
            // A watch is open for as long as its client likes: the span is of its beginning.
            context.Response.OnStarting(() =>
            {
                End(span, context, null);
                span.Stop();
                return Task.CompletedTask;
            });
        }

        return span;
    }

    internal static void End(Activity? span, HttpContext context, ApiStatus? refusal)
    {
        if (span is not { IsAllDataRequested: true, IsStopped: false })
        {
            return;
        }

        if (span.Status == ActivityStatusCode.Unset)
        {
            span.SetTag("http.response.status_code", context.Response.StatusCode);
        }

        if (refusal is null)
        {
            return;
        }

        span.SetTag("mesh.response_flag", refusal.Reason);
        span.SetTag("mesh.response_detail", refusal.Message);
        if (refusal.Code >= StatusCodes.Status500InternalServerError)
        {
            span.SetTag("error.type", refusal.Code.ToString(CultureInfo.InvariantCulture));
            span.SetStatus(ActivityStatusCode.Error, refusal.Message);
        }
    }

    /// <summary>A filter that is never true: what nobody foresaw is answered further out, where the span has ended.</summary>
    internal static bool IsNoted(Activity? span, HttpContext context, Exception failure)
    {
        if (span is { IsAllDataRequested: true } && failure is not BadHttpRequestException && !context.RequestAborted.IsCancellationRequested)
        {
            span.SetTag("error.type", failure.GetType().FullName);
            span.SetStatus(ActivityStatusCode.Error, failure.Message);
        }

        return false;
    }

    private static void Describe(Activity span, HttpContext context, ResourceRequest? request, string? route)
    {
        var http = context.Request;
        span.SetTag("url.path", http.Path.Value);
        span.SetTag("url.scheme", http.Scheme);
        span.SetTag("server.address", http.Host.Host);
        span.SetTag("server.port", http.Host.Port ?? 443);
        span.SetTag("client.address", context.Connection.RemoteIpAddress?.ToString());
        if (http.Headers.UserAgent.ToString() is { Length: > 0 } agent)
        {
            span.SetTag("user_agent.original", agent);
        }

        if (request is not null)
        {
            span.SetTag("http.route", route);
            span.SetTag("mesh.api.resource", request.Resource.Qualified);
            span.SetTag("mesh.api.verb", ApiServerMetrics.Verb(http, request));
        }

        if (request is { Namespace.Length: > 0 })
        {
            span.SetTag("k8s.namespace.name", request.Namespace);
        }
    }

    /// <summary>The path without what is different for each object, so that spans of one kind have one name.</summary>
    private static string Route(ResourceRequest request)
    {
        var resource = request.Resource;
        var group = resource.Group.Length == 0 ? $"/api/{resource.Version}" : $"/apis/{resource.Group}/{resource.Version}";
        var ns = request.Namespace.Length > 0 && resource.IsNamespaced ? "/namespaces/{namespace}" : "";
        var name = request.IsCollection ? "" : "/{name}";
        var sub = request.Subresource.Length == 0 ? "" : request.Subresource == "status" ? "/status" : "/{subresource}";
        return $"{group}{ns}/{resource.Plural}{name}{sub}";
    }
}
