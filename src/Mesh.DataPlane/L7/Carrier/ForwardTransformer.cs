using System.Net;
using System.Net.Http.Headers;
using Mesh.DataPlane.L7.Strict;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Forwarder;

namespace Mesh.DataPlane.L7.Carrier;

/// <summary>
/// Makes the request that an endpoint gets of the one that came, and the other way round. Host, path and query are
/// passed byte for byte; YARP's own transforms would re-encode them.
/// </summary>
internal sealed class ForwardTransformer(Exchange exchange, string gateway) : HttpTransformer
{
    private const int MaxBaggage = 8 * 1024;
    private const int SmallBody = 1024; // HttpClient sends this much whatever the answer is, so there is nothing to expect

    private static readonly UriCreationOptions AsSent = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private EndpointPool? _pool;
    private AnswerDeadline? _deadline;
    private bool _expects;
    private bool _isOwed; // an answer, to a request without a body

    /// <summary>Why the answer ended after its head was passed on and before the first byte of its body; null when it did not.</summary>
    public Exception? Cut { get; private set; }

    /// <summary>Why the request can be sent to no endpoint at all; null when it can.</summary>
    public Refusal? Unsendable { get; private set; }

    public void Begin(EndpointPool pool, AnswerDeadline deadline)
    {
        _pool = pool;
        _deadline = deadline;
        Cut = null;
        Unsendable = null;
        _expects = false;
        _isOwed = exchange.Http.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false };
        if (_isOwed)
        {
            pool.Silence.Asked();
        }
    }

    /// <summary>The attempt is over.</summary>
    public void End()
    {
        if (_isOwed)
        {
            _isOwed = false;
            _pool!.Silence.GaveNone();
        }
    }

    public override ValueTask TransformRequestAsync(HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        var request = httpContext.Request;
        proxyRequest.RequestUri = new Uri(_pool!.Prefix + exchange.PathAndQuery, AsSent);
        var named = HeaderRules.Named(exchange.ConnectionOptions);
        var isPost = HttpMethods.IsPost(request.Method);
        foreach (var (name, value) in request.Headers)
        {
            if (HeaderRules.IsForwarded(name) && (named is null || !named.Contains(name)) && (isPost || !HeaderRules.IsMethodOverride(name)))
            {
                Add(proxyRequest, name, value);
            }
        }

        // An HTTP/1.0 request may have no Host; then the endpoint sees its own address.
        if (exchange.HostSent is { Length: > 0 } host)
        {
            SetHost(proxyRequest, host);
        }

        AddForwarded(httpContext, proxyRequest);
        AddTrace(proxyRequest);
        if (proxyRequest.Content is not null)
        {
            FlushedContent.Extends(proxyRequest, _deadline!);
            _expects = MayBeRefused(request);
            proxyRequest.Headers.ExpectContinue = _expects ? true : null;
        }

        return ValueTask.CompletedTask;
    }

    public override ValueTask<bool> TransformResponseAsync(HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        if (proxyResponse is null)
        {
            return ValueTask.FromResult(true);
        }

        _deadline!.End();
        Heard();
        AnswerRules.Check(proxyResponse, exchange.IsUpgrade);
        var response = httpContext.Response;
        exchange.AnsweredStatus = (int)proxyResponse.StatusCode;
        var named = proxyResponse.Headers.NonValidated.TryGetValues("Connection", out var connection)
            ? HeaderRules.Named(connection.ToString())
            : null;
        Copy(proxyResponse.Headers, named, response.Headers);
        Copy(proxyResponse.Content.Headers, named, response.Headers);
        if (proxyResponse.StatusCode == HttpStatusCode.NoContent)
        {
            response.ContentLength = null; // of all that an answer says of a content, this alone must not stand here (RFC 9110 §8.6)
        }

        response.Headers[ExchangeHeaders.RequestId] = exchange.RequestId;
        if (_expects && !_deadline.BodyHasBegun)
        {
            response.Headers.Connection = "close"; // the body was not asked for: what follows may be it, or the next request
        }

        IngressTracing.Answer(exchange);
        return proxyResponse.StatusCode switch
        {
            HttpStatusCode.NoContent => ValueTask.FromResult(false),
            HttpStatusCode.SwitchingProtocols => ValueTask.FromResult(true),
            _ => BeginAsync(response, proxyResponse.Content, cancellationToken),
        };
    }

    private void Heard()
    {
        if (_isOwed)
        {
            _isOwed = false;
            _pool!.Silence.Answered();
        }
        else
        {
            _pool!.Silence.Heard();
        }
    }

    private void SetHost(HttpRequestMessage request, string host)
    {
        try
        {
            request.Headers.Host = host;
        }
        catch (FormatException)
        {
            // The strict reader should have refused it (Authority): whatever the library's next version thinks, no Pod is to blame.
            Unsendable = Refusal.Malformed($"the Host header is {Authority.Wanted}");
            throw;
        }
    }

    /// <summary>
    /// Passes the head on at once where the body does not follow it at once. YARP would keep it for the body's first byte;
    /// a body that is there already goes out together with its head.
    /// </summary>
    private ValueTask<bool> BeginAsync(HttpResponse response, HttpContent content, CancellationToken stop)
    {
#pragma warning disable CA2012 // awaited once, here or below
        var first = content.ReadAsStream(stop).ReadAsync(Memory<byte>.Empty, stop);
#pragma warning restore CA2012
        if (!first.IsCompleted)
        {
            return BeginAsync(response, first, stop);
        }

        _ = first.GetAwaiter().GetResult();
        return ValueTask.FromResult(true);
    }

    private async ValueTask<bool> BeginAsync(HttpResponse response, ValueTask<int> first, CancellationToken stop)
    {
        try
        {
            await response.Body.FlushAsync(stop);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The client has gone, and the read ends with it.
        }

        try
        {
            await first;
            return true;
        }
        catch (Exception e) when (e is IOException or HttpRequestException or OperationCanceledException or ObjectDisposedException)
        {
            Cut = e; // kept here, since a second read of a stream that was reset could end as if it were whole
            return false;
        }
    }

    /// <summary>
    /// Whether the endpoint is told of <c>Expect: 100-continue</c> (the strict reader lets no other expectation pass). Its
    /// own 100, or its silence for a second, lets the body come: only reading it makes Kestrel say 100.
    /// </summary>
    private static bool MayBeRefused(HttpRequest request) =>
        request.Headers.Expect.Count > 0 && request.Protocol == HttpProtocol.Http11 && request.ContentLength is null or > SmallBody;

    private static void Copy(HttpHeaders from, HashSet<string>? named, IHeaderDictionary to)
    {
        foreach (var (name, values) in from.NonValidated)
        {
            if (HeaderRules.IsReturned(name) && (named is null || !named.Contains(name)))
            {
                // Set, as appending nothing but an empty value would remove the field (RFC 9110 §5.5 allows one).
                to[name] = values.Count == 1 ? new StringValues(values.ToString()) : new StringValues([.. values]);
            }
        }
    }

    private static void Add(HttpRequestMessage request, string name, StringValues value)
    {
        if (value.Count == 1)
        {
            Add(request, name, value.ToString());
            return;
        }

        // Several Cookie lines become one, as HTTP/1.1 wants (RFC 6265 §5.4).
        if (string.Equals(name, "Cookie", StringComparison.OrdinalIgnoreCase))
        {
            Add(request, name, string.Join("; ", value.ToArray()));
            return;
        }

        // Several lines are one list (W3C Baggage §3.3): its limit is that of them all.
        if (string.Equals(name, "baggage", StringComparison.OrdinalIgnoreCase))
        {
            Add(request, name, string.Join(',', value.ToArray()));
            return;
        }

        if (!request.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)value))
        {
            ContentOf(request).Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)value);
        }
    }

    private static void Add(HttpRequestMessage request, string name, string value)
    {
        if (value.Length > MaxBaggage && string.Equals(name, "baggage", StringComparison.OrdinalIgnoreCase))
        {
            return;
        }

        if (!request.Headers.TryAddWithoutValidation(name, value))
        {
            ContentOf(request).Headers.TryAddWithoutValidation(name, value);
        }
    }

#pragma warning disable CA2000 // it holds nothing
    private static HttpContent ContentOf(HttpRequestMessage request) => request.Content ?? EmptyContent.Of(request);
#pragma warning restore CA2000

    private void AddForwarded(HttpContext context, HttpRequestMessage request)
    {
        var client = exchange.ClientAddress;
        request.Headers.TryAddWithoutValidation("X-Forwarded-For", client);
        if (context.Request.Headers.TryGetValue("X-Forwarded-For", out var claimed))
        {
            request.Headers.TryAddWithoutValidation("X-Original-Forwarded-For", (IEnumerable<string?>)claimed);
        }

        if (exchange.HostSent is { Length: > 0 } host)
        {
            request.Headers.TryAddWithoutValidation("X-Forwarded-Host", host);
        }

        request.Headers.TryAddWithoutValidation("X-Forwarded-Proto", exchange.Scheme);
        request.Headers.TryAddWithoutValidation("X-Forwarded-Port", exchange.LocalPort);
        request.Headers.TryAddWithoutValidation("X-Real-IP", client);
        request.Headers.TryAddWithoutValidation(ExchangeHeaders.RequestId, exchange.RequestId);
        request.Headers.TryAddWithoutValidation(LoopRules.Header, gateway); // behind those that it has passed before (RFC 8586 §2)
    }

    private void AddTrace(HttpRequestMessage request)
    {
        if (exchange.AttemptSpan is not { Id: { } id } span)
        {
            return; // not tracing: what the client sent was passed on
        }

        request.Headers.Remove("traceparent");
        request.Headers.TryAddWithoutValidation("traceparent", id);
        if (span.TraceStateString is null)
        {
            request.Headers.Remove("tracestate");
        }
    }
}
