using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.Core;
using Mesh.Core.Routing;
using Mesh.DataPlane.L7.Strict;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.L7;

/// <summary>What happens to each request, from top to bottom. Its bytes were checked before, by <see cref="StrictRequestReader"/>.</summary>
internal sealed class IngressPipeline(
    Published<RoutingSnapshot> routes,
    IngressOptions options,
    RequestForwarder forwarder,
    RequestIds ids,
    Func<int> httpsPort,
    TimeProvider time,
    ILogger log,
    ILogger accessLog)
{
    private int _active;

    public int Active => Volatile.Read(ref _active);

    public async Task HandleAsync(Exchange exchange)
    {
        var active = Interlocked.Increment(ref _active);
        Activity? span = null;
        try
        {
            // The span first, as its id names the request.
            span = exchange.Span = IngressTracing.StartServer(exchange);
            exchange.RequestId = ids.For(span);
            exchange.Refusal = await RouteAsync(exchange, active);
            if (exchange.Refusal is { } refusal)
            {
                await AnswerAsync(exchange, refusal);
            }
            else if (!exchange.IsUpgrade)
            {
                await exchange.Http.Response.CompleteAsync(); // so that the log tells of all of it
            }
        }
#pragma warning disable CA1031 // The boundary of one request: whatever went wrong in it is told as its outcome, and harms no other.
        catch (Exception failure) when (failure is not OperationCanceledException and not IOException)
#pragma warning restore CA1031
        {
            DataPlaneLog.RequestFailed(log, failure);
            await FailAsync(exchange);
        }
        finally
        {
            Interlocked.Decrement(ref _active);
            var duration = time.GetElapsedTime(exchange.Started);
            IngressTracing.EndServer(span, exchange);
            DataPlaneMetrics.Request(exchange, duration);
            AccessLog.Write(accessLog, exchange, duration);
            span?.Dispose();
        }
    }

    private static Task FailAsync(Exchange exchange)
    {
        var refusal = exchange.Refusal = Refusal.Of(RefusalReason.GatewayFailed, "the gateway failed, and its log says how");
        if (!exchange.Http.Response.HasStarted)
        {
            exchange.Http.Response.Clear();
        }

        return AnswerAsync(exchange, refusal);
    }

    private ValueTask<Refusal?> RouteAsync(Exchange exchange, int active)
    {
        if (active > options.MaxActiveRequests)
        {
            return new(Refusal.Of(RefusalReason.Overloaded, $"more than {options.MaxActiveRequests} requests are under way"));
        }

        if (exchange.PathAndQuery == "*")
        {
            return AnswerOptionsAsync(exchange);
        }

        var snapshot = routes.Current; // one read: the request is decided by one version
        var forwarding = RequestRouting.Decide(snapshot, exchange.HostSent, exchange.PathSent, exchange.Tls is not null);
        if (forwarding is Forwarding.Refuse refuse)
        {
            exchange.Match = refuse.Match;
            exchange.Service = refuse.Match?.Backend?.Service;
            var known = refuse.Reason == RefusalReason.NoMatchingHost && exchange.IsFromHere ? RefusalText.KnownHosts(snapshot.Ingresses) : "";
            return new(Refusal.Of(refuse.Reason, refuse.Text + known));
        }

        if (forwarding is Forwarding.ToHttps secure)
        {
            exchange.Match = secure.Match;
            return AnswerRedirectAsync(exchange);
        }

        var to = (Forwarding.ToService)forwarding;
        exchange.Match = to.Match;
        exchange.Service = to.Service.Service.Name;
        if (LoopRules.HasPassed(exchange.Http.Request.Headers[LoopRules.Header], options.GatewayId))
        {
            return new(Refusal.Of(RefusalReason.LoopDetected, RefusalText.Loop(exchange.Service)));
        }

        exchange.IsUpgrade = WebSocketRules.IsAsked(exchange.Http.Request);
        if (exchange.IsUpgrade && WebSocketRules.Check(exchange.Http.Request) is { } unfit)
        {
            return new(unfit);
        }

        if (exchange.IsUpgrade)
        {
            var features = exchange.Http.Features;
            features.Set<IHttpUpgradeFeature>(new TunnelUpgrade(features.GetRequiredFeature<IHttpUpgradeFeature>(), features.GetRequiredFeature<IStrictConnection>()));
        }

        return forwarder.ForwardAsync(exchange, to.Port);
    }

    /// <summary><c>OPTIONS *</c> asks about the server as a whole (RFC 9110 §9.3.7), which is this gateway.</summary>
    private static async ValueTask<Refusal?> AnswerOptionsAsync(Exchange exchange)
    {
        var response = exchange.Http.Response;
        response.ContentLength = 0;
        response.Headers.Allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
        response.Headers[ExchangeHeaders.RequestId] = exchange.RequestId;
        await response.StartAsync();
        return null;
    }

    /// <summary>The same by the same method over TLS (RFC 9110 §15.4.9); the port is told where it is not that of https.</summary>
    private async ValueTask<Refusal?> AnswerRedirectAsync(Exchange exchange)
    {
        var (response, port) = (exchange.Http.Response, httpsPort());
        var host = exchange.HostSent.Length > 0 ? new HostString(exchange.HostSent).Host : UriHost(exchange.Http.Connection.LocalIpAddress!);
        response.StatusCode = StatusCodes.Status308PermanentRedirect;
        response.Headers.Location = $"https://{host}{(port == 443 ? "" : $":{port}")}{exchange.PathAndQuery}";
        response.ContentLength = 0;
        response.Headers[ExchangeHeaders.RequestId] = exchange.RequestId;
        IngressTracing.Answer(exchange);
        if (exchange.Http.Request.Headers.Expect.Count > 0)
        {
            response.Headers.Connection = "close"; // the body was not asked for
        }

        await response.StartAsync();
        return null;
    }

    /// <summary>As the host of a URI (RFC 3986 §3.2.2): in brackets, and without a scope, which means nothing to the client.</summary>
    internal static string UriHost(IPAddress address) =>
        address.IsIPv4MappedToIPv6 ? $"{address.MapToIPv4()}"
        : address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{new IPAddress(address.GetAddressBytes())}]"
        : $"{address}";

    private static async Task AnswerAsync(Exchange exchange, Refusal refusal)
    {
        var response = exchange.Http.Response;
        if (response.HasStarted || refusal.Reason == RefusalReason.ClientGone)
        {
            exchange.Http.Abort(); // never a clean end to an answer that was cut
            return;
        }

        response.StatusCode = refusal.Status;
        response.ContentType = "text/plain; charset=utf-8";
        response.Headers[ExchangeHeaders.RequestId] = exchange.RequestId;
        IngressTracing.Answer(exchange);
        if (refusal.Status == StatusCodes.Status426UpgradeRequired)
        {
            response.Headers.SecWebSocketVersion = "13";
        }

        if (refusal.Reason == RefusalReason.Overloaded)
        {
            response.Headers.RetryAfter = "1";
        }

        // Where a body was expected to be asked for and is not, what follows may be it or the next request.
        if (exchange.Http.Request.Headers.Expect.Count > 0 || refusal.Reason is RefusalReason.MalformedRequest or RefusalReason.DotSegmentInPath or RefusalReason.RequestTimeout or RefusalReason.HeadersTooLarge)
        {
            response.Headers.Connection = "close"; // whoever sent this may have meant the next bytes as something else
        }

        var body = Encoding.UTF8.GetBytes(refusal.Body);
        response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(exchange.Http.Request.Method))
        {
            await response.Body.WriteAsync(body);
        }
    }
}
