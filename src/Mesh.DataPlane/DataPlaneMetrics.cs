using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using Mesh.Core.Names;
using Mesh.DataPlane.L7;
using Mesh.DataPlane.L7.Tls;

namespace Mesh.DataPlane;

/// <summary>The instruments of the data plane. Attributes have few values: never a Pod's address, never a client's Host.</summary>
public static class DataPlaneMetrics
{
    /// <summary>The name to subscribe to.</summary>
    public const string MeterName = "Mesh.DataPlane";

    private static readonly Meter Meter = new(MeterName);

    private static readonly Histogram<double> RequestDuration = Meter.CreateHistogram<double>(
        "http.server.request.duration",
        "s",
        "Duration of requests at the Ingress gateway",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] });

    private static readonly UpDownCounter<long> ActiveRequests = Meter.CreateUpDownCounter<long>("http.server.active_requests", "{request}");
    private static readonly Counter<long> Refusals = Meter.CreateCounter<long>("mesh.forward.refusals", "{request}");
    private static readonly Counter<long> Retries = Meter.CreateCounter<long>("mesh.forward.retries", "{attempt}");
    private static readonly Counter<long> ConnectFailures = Meter.CreateCounter<long>("mesh.forward.connect_failures", "{attempt}");
    private static readonly Counter<long> Handshakes = Meter.CreateCounter<long>("mesh.ingress.handshakes", "{handshake}");
    private static readonly UpDownCounter<long> ServiceConnections = Meter.CreateUpDownCounter<long>("mesh.service.connections", "{connection}");
    private static readonly Counter<long> ServiceIo = Meter.CreateCounter<long>("mesh.service.io", "By");

    /// <summary>Every status that there is, made once: an attribute is an object.</summary>
    private static readonly object[] Statuses = [.. Enumerable.Range(0, 600).Select(static status => (object)status)];

    internal static void RequestStarted() => ActiveRequests.Add(1);

    internal static void Request(Exchange exchange, TimeSpan duration)
    {
        ActiveRequests.Add(-1);
        if (exchange.Refusal is { } refusal)
        {
            Refused(refusal);
        }

        if (!RequestDuration.Enabled)
        {
            return;
        }

        var tags = new TagList
        {
            { "http.request.method", IngressTracing.MethodOf(exchange) },
            { "http.response.status_code", Boxed(AccessLog.StatusOf(exchange)) },
            { "url.scheme", exchange.Scheme },
            { "network.protocol.version", "1.1" },
        };
        if (exchange.Match is { } match)
        {
            tags.Add("http.route", match.Route);
        }

        if (exchange.Service is { } service)
        {
            tags.Add("k8s.namespace.name", service.Namespace);
            tags.Add("k8s.service.name", service.Name);
        }

        if (AccessLog.StatusOf(exchange) is >= 500 and var status)
        {
            tags.Add("error.type", exchange.Refusal?.Reason.ToString() ?? status.ToString(CultureInfo.InvariantCulture));
        }

        RequestDuration.Record(duration.TotalSeconds, tags);
    }

    private static object Boxed(int status) => status >= 0 && status < Statuses.Length ? Statuses[status] : status;

    internal static void Refused(Refusal refusal) =>
        Refusals.Add(1, new KeyValuePair<string, object?>("reason", refusal.Reason.ToString()));

    internal static void Handshake(HandshakeResult result, TlsSession? session)
    {
        if (session is not null)
        {
            Handshakes.Add(1, new("result", result.Word()), new("tls.protocol.version", session.Version));
        }
        else
        {
            Handshakes.Add(1, new KeyValuePair<string, object?>("result", result.Word()));
        }
    }

    internal static void Retried(NamespacedName service, string reason) =>
        Retries.Add(1, Namespace(service), Name(service), new KeyValuePair<string, object?>("reason", reason));

    internal static void ConnectFailed(NamespacedName service) => ConnectFailures.Add(1, Namespace(service), Name(service));

    internal static void ServiceConnectionOpened(NamespacedName service) => ServiceConnections.Add(1, Namespace(service), Name(service));

    internal static void ServiceConnectionClosed(NamespacedName service) => ServiceConnections.Add(-1, Namespace(service), Name(service));

    internal static void ConnectionRefused(NamespacedName service) =>
        Refusals.Add(1, Namespace(service), Name(service), new KeyValuePair<string, object?>("reason", "Overloaded"));

    internal static void ServiceBytes(NamespacedName service, long fromClient, long toClient)
    {
        ServiceIo.Add(fromClient, Namespace(service), Name(service), new KeyValuePair<string, object?>("network.io.direction", "receive"));
        ServiceIo.Add(toClient, Namespace(service), Name(service), new KeyValuePair<string, object?>("network.io.direction", "transmit"));
    }

    private static KeyValuePair<string, object?> Namespace(NamespacedName service) => new("k8s.namespace.name", service.Namespace);

    private static KeyValuePair<string, object?> Name(NamespacedName service) => new("k8s.service.name", service.Name);
}
