using System.Diagnostics;
using System.Globalization;
using System.Net;
using Mesh.Core.Ingresses;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.DataPlane.L7.Carrier;
using Mesh.DataPlane.L7.Strict;
using Mesh.DataPlane.L7.Tls;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Mesh.DataPlane.L7;

/// <summary>One request and what became of it. Kept with its connection and used again for the next request on it.</summary>
internal sealed class Exchange
{
    private IPAddress? _client;
    private IStrictConnection? _connection;
    private long _receivedBefore;
    private long _sentBefore;

    /// <param name="gateway">What the gateway calls itself in CDN-Loop.</param>
    public Exchange(string gateway) => Transformer = new ForwardTransformer(this, gateway);

    public DefaultHttpContext Http { get; } = new();

    public ForwardTransformer Transformer { get; }

    /// <summary>Made by the carrier, and kept for the next request.</summary>
    public AnswerDeadline? Deadline { get; set; }

    public long Started { get; private set; }

    public string RequestId { get; set; } = "";

    /// <summary>The client's address as text; made once per connection.</summary>
    public string ClientAddress { get; private set; } = "";

    /// <summary>The port that the client came to, as text; made once per connection.</summary>
    public string LocalPort { get; private set; } = "";

    /// <summary>
    /// Whether a program of this machine asks, and not for somebody else: to a stranger the names of hosts may be news.
    /// </summary>
    public bool IsFromHere =>
        Http.Connection.RemoteIpAddress is { } client && (IPAddress.IsLoopback(client) || client.Equals(Http.Connection.LocalIpAddress))
        && !Http.Request.Headers.ContainsKey("X-Forwarded-For") && !Http.Request.Headers.ContainsKey("Forwarded")
        && !Http.Request.Headers.ContainsKey("Via") && !Http.Request.Headers.ContainsKey(LoopRules.Header);

    /// <summary>Null in plain HTTP.</summary>
    public TlsSession? Tls { get; private set; }

    public string Scheme => Tls is null ? "http" : "https";

    /// <summary>Host as the client sent it.</summary>
    public string HostSent { get; private set; } = "";

    /// <summary>Path and query as the client sent them.</summary>
    public string PathAndQuery { get; private set; } = "";

    /// <summary>What the Connection header names besides keep-alive, close and upgrade; Kestrel drops the names beside those.</summary>
    public string? ConnectionOptions { get; private set; }

    /// <summary>Bytes of this request, its head and framing included, as far as they were read; in a tunnel all that came.</summary>
    public long BytesReceived => _connection is null ? 0 : _connection.BytesReceived - _receivedBefore;

    /// <summary>Bytes that the client was sent for it, head and framing included.</summary>
    public long BytesSent => _connection is null ? 0 : _connection.BytesSent - _sentBefore;

    public bool IsUpgrade { get; set; }

    public IngressMatch.Found? Match { get; set; }

    public NamespacedName? Service { get; set; }

    public Target? Target { get; set; }

    public int Attempts { get; set; }

    /// <summary>The endpoint's status, once it answered.</summary>
    public int? AnsweredStatus { get; set; }

    /// <summary>Why the exchange did not end as the endpoint meant it; null when it did.</summary>
    public Refusal? Refusal { get; set; }

    public Activity? Span { get; set; }

    public Activity? AttemptSpan { get; set; }

    /// <summary>Path as the client sent it.</summary>
    public string PathSent { get; private set; } = "";

    public void Begin(IFeatureCollection features, long started)
    {
        Http.Initialize(features);
        Started = started;
        HostSent = Http.Request.Headers.Host.ToString();
        PathAndQuery = features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        PathSent = PathAndQuery.IndexOf('?', StringComparison.Ordinal) is var query and >= 0 ? PathAndQuery[..query] : PathAndQuery;
        _connection = features.Get<IStrictConnection>();
        Tls = features.Get<TlsSession>();
        ConnectionOptions = _connection?.ConnectionOptions;
        if (Http.Connection.RemoteIpAddress is { } client && !client.Equals(_client))
        {
            _client = client;
            LocalPort = Http.Connection.LocalPort.ToString(CultureInfo.InvariantCulture);
            ClientAddress = (client.IsIPv4MappedToIPv6 ? client.MapToIPv4() : client).ToString();
        }
    }

    public void End()
    {
        Http.Uninitialize();
        if (_connection is { } connection)
        {
            (_receivedBefore, _sentBefore) = (connection.BytesReceived, connection.BytesSent); // the connection's next exchange is this object
        }

        RequestId = HostSent = PathAndQuery = PathSent = "";
        IsUpgrade = false;
        Match = null;
        Service = null;
        Target = null;
        Attempts = 0;
        AnsweredStatus = null;
        Refusal = null;
        Span = AttemptSpan = null;
    }
}
