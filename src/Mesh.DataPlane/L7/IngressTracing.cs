using System.Diagnostics;
using System.Globalization;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.DataPlane.L7.Carrier;
using Microsoft.AspNetCore.Http;

namespace Mesh.DataPlane.L7;

/// <summary>
/// The spans of a request: one SERVER span, and one CLIENT span for each attempt whose id the endpoint gets as its
/// parent (OpenTelemetry HTTP semantic conventions 1.23 and later; W3C Trace Context).
/// </summary>
public static class IngressTracing
{
    /// <summary>The name to subscribe to.</summary>
    public const string SourceName = "Mesh.Ingress";

    private const int MaxTraceState = 512;

    private static readonly ActivitySource Source = new(SourceName);

    private static readonly System.Collections.Frozen.FrozenSet<string> KnownMethods = System.Collections.Frozen.FrozenSet.ToFrozenSet(
        ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"]);

    /// <summary>The method as an attribute of few values.</summary>
    internal static string MethodOf(Exchange exchange) => KnownMethods.Contains(exchange.Http.Request.Method) ? exchange.Http.Request.Method : "_OTHER";

    internal static Activity? StartServer(Exchange exchange)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        var request = exchange.Http.Request;
        var method = MethodOf(exchange);
        var state = request.Headers.TraceState.ToString();
        // One valid traceparent is continued; anything else starts a new trace (W3C Trace Context §4.3).
        ActivityContext.TryParse(TraceParent.Known(request.Headers.TraceParent), state.Length is 0 or > MaxTraceState ? null : state, isRemote: true, out var parent);
        var span = Source.StartActivity(method == "_OTHER" ? "HTTP" : method, ActivityKind.Server, parent);
        if (span is not { IsAllDataRequested: true })
        {
            return span;
        }

        var connection = exchange.Http.Connection;
        span.SetTag("http.request.method", method);
        span.SetTag("url.path", exchange.PathSent);
        span.SetTag("url.scheme", exchange.Scheme);
        if (exchange.Tls is { } tls)
        {
            span.SetTag("tls.protocol.name", "tls");
            span.SetTag("tls.protocol.version", tls.Version);
        }

        if (exchange.PathSent.Length < exchange.PathAndQuery.Length)
        {
            span.SetTag("url.query", "REDACTED"); // queries hold tokens
        }

        SetServer(span, exchange, exchange.Tls is null ? 80 : 443);
        span.SetTag("client.address", exchange.ClientAddress);
        span.SetTag("network.peer.address", exchange.ClientAddress);
        span.SetTag("network.peer.port", connection.RemotePort);
        span.SetTag("network.protocol.version", request.Protocol == HttpProtocol.Http10 ? "1.0" : "1.1");
        if (request.Headers.UserAgent.ToString() is { Length: > 0 } agent)
        {
            span.SetTag("user_agent.original", agent);
        }

        return span;
    }

    internal static void EndServer(Activity? span, Exchange exchange)
    {
        if (span is not { IsAllDataRequested: true })
        {
            return;
        }

        if (exchange.Match is { } match)
        {
            span.DisplayName = $"{span.DisplayName} {match.Route}";
            span.SetTag("http.route", match.Route);
            span.SetTag("mesh.ingress.name", match.Ingress.Name);
            span.SetTag("k8s.namespace.name", match.Ingress.Namespace);
        }

        if (exchange.Service is { } service)
        {
            span.SetTag("k8s.service.name", service.Name);
        }

        var status = AccessLog.StatusOf(exchange);
        span.SetTag("http.response.status_code", status);
        if (exchange.Refusal is { } refusal)
        {
            Tell(span, refusal);
        }

        // A 4xx is the client's error and leaves the status unset; a cut answer is an error whatever its status was.
        if (status >= StatusCodes.Status500InternalServerError || exchange.Refusal is { Status: >= StatusCodes.Status500InternalServerError })
        {
            span.SetTag("error.type", exchange.Refusal?.Reason.ToString() ?? status.ToString(CultureInfo.InvariantCulture));
            span.SetStatus(ActivityStatusCode.Error, exchange.Refusal?.Detail);
        }
    }

    internal static Activity? StartAttempt(Exchange exchange, Target target)
    {
        if (exchange.Span is null)
        {
            return null;
        }

        var method = MethodOf(exchange);
        var service = exchange.Service!;
        var span = Source.StartActivity(AttemptName(method, service, exchange.Attempts), ActivityKind.Client, exchange.Span.Context);
        if (span is not { IsAllDataRequested: true })
        {
            return span;
        }

        span.SetTag("http.request.method", method);
        SetServer(span, exchange, 80); // an attempt is plain HTTP, whatever the client speaks
        span.SetTag("url.full", $"http://{exchange.HostSent}{exchange.PathSent}");
        span.SetTag("network.peer.address", target.Address.Address.ToString());
        span.SetTag("network.peer.port", target.Address.Port);
        span.SetTag("peer.service", service.Name);
        span.SetTag("service.peer.name", service.Name);
        span.SetTag("service.peer.namespace", service.Namespace);
        span.SetTag("k8s.pod.name", target.Endpoint.Pod.Name);
        span.SetTag("k8s.namespace.name", target.Endpoint.Pod.Namespace);
        span.SetTag("mesh.lb.policy", "random");
        if (exchange.Attempts > 1)
        {
            span.SetTag("http.request.resend_count", exchange.Attempts - 1);
        }

        return span;
    }

    /// <summary>
    /// Method and target, as the conventions name CLIENT spans: the target is the Service, since there are few of them while
    /// Pods come and go without end. Which Pod it was is an attribute, and in the sentence of an attempt that failed.
    /// </summary>
    private static string AttemptName(string method, NamespacedName service, int attempt)
    {
        var word = method == "_OTHER" ? "HTTP" : method;
        return attempt > 1 ? $"{word} {service} (attempt {attempt})" : $"{word} {service}";
    }

    internal static void EndAttempt(Activity? span, Exchange exchange, Target target, CarryOutcome outcome)
    {
        if (span is not { IsAllDataRequested: true })
        {
            return;
        }

        if (exchange.AnsweredStatus is { } status)
        {
            span.SetTag("http.response.status_code", status);
        }

        if (outcome is CarryOutcome.ClientGone or CarryOutcome.BadRequest)
        {
            return; // the caller's doing, not the endpoint's
        }

        if (outcome is not CarryOutcome.Answered)
        {
            var refusal = RequestForwarder.Refuse(outcome, target, attempts: 1);
            span.SetTag("error.type", outcome.GetType().Name);
            Tell(span, refusal);
            span.SetStatus(ActivityStatusCode.Error, refusal.Detail);
        }
        else if (exchange.AnsweredStatus >= StatusCodes.Status400BadRequest)
        {
            span.SetTag("error.type", exchange.AnsweredStatus?.ToString(CultureInfo.InvariantCulture));
            span.SetStatus(ActivityStatusCode.Error); // the status says it all
        }
    }

    /// <summary>Tells the client which trace its answer belongs to (W3C Trace Context Level 2, draft).</summary>
    internal static void Answer(Exchange exchange)
    {
        if (exchange.Span?.Id is { } id)
        {
            exchange.Http.Response.Headers[ExchangeHeaders.TraceResponse] = id;
        }
    }

    /// <summary>A request that was refused before there was a request: the span says why, and nothing that was not checked.</summary>
    internal static void Refused(Refusal refusal, string client, string scheme)
    {
        using var span = Source.StartActivity("HTTP", ActivityKind.Server, default(ActivityContext));
        span?.SetTag("http.request.method", "_OTHER");
        span?.SetTag("url.scheme", scheme);
        span?.SetTag("client.address", client);
        span?.SetTag("http.response.status_code", refusal.Status);
        Tell(span, refusal);
    }

    /// <summary>The same reason and sentence that the client was told.</summary>
    private static void Tell(Activity? span, Refusal refusal)
    {
        span?.SetTag("mesh.response_flag", refusal.Reason.ToString());
        span?.SetTag("mesh.response_detail", refusal.Detail);
    }

    private static void SetServer(Activity span, Exchange exchange, int defaultPort)
    {
        var host = exchange.Http.Request.Host;
        span.SetTag("server.address", host.Host);
        span.SetTag("server.port", host.Port ?? defaultPort);
    }
}
