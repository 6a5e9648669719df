using System.Net;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane;

/// <summary>Every log line of the data plane.</summary>
internal static partial class DataPlaneLog
{
    /// <summary>The category of the access log.</summary>
    public const string AccessCategory = "Mesh.Ingress.Access";

    [LoggerMessage(2, LogLevel.Information, "refused {code} reason={reason} detail={detail} client={client}")]
    public static partial void Refused(ILogger log, int code, string reason, string detail, string client);

    [LoggerMessage(10, LogLevel.Debug, "Service {service} listens on {address} ({kind})")]
    public static partial void ServicePortOpened(ILogger log, NamespacedName service, IPEndPoint address, FrontendKind kind);

    [LoggerMessage(11, LogLevel.Debug, "Service {service} no longer listens on {address} ({kind})")]
    public static partial void ServicePortClosed(ILogger log, NamespacedName service, IPEndPoint address, FrontendKind kind);

    [LoggerMessage(12, LogLevel.Warning, "{listener}: {reason}: {why}")]
    public static partial void PortProblem(ILogger log, string listener, string reason, string why);

    [LoggerMessage(13, LogLevel.Warning, "Service {service} could not accept a connection on {address}: {error}; {times} times since this was last said")]
    public static partial void AcceptFailed(ILogger log, NamespacedName service, IPEndPoint address, string error, int times);

    [LoggerMessage(14, LogLevel.Warning, "Service {service} accepts nobody on {address}: it has its share of the files and sockets that may be open, and goes on when some are free")]
    public static partial void TooManyConnections(ILogger log, NamespacedName service, IPEndPoint address);

    [LoggerMessage(15, LogLevel.Information, "Pod {pod} of Service {service} took no connection at {address}: {error}; {times} times since this was last said")]
    public static partial void EndpointRefused(ILogger log, NamespacedName service, NamespacedName pod, IPEndPoint address, string error, int times);

    [LoggerMessage(17, LogLevel.Information, "Pod {pod} of Service {service} takes requests at {address} and answers none; others are preferred; {times} times since this was last said")]
    public static partial void EndpointSilent(ILogger log, NamespacedName service, NamespacedName pod, IPEndPoint address, int times);

    [LoggerMessage(20, LogLevel.Information, "{listener} listens on {address}")]
    public static partial void AddressOpened(ILogger log, string listener, IPEndPoint address);

    [LoggerMessage(21, LogLevel.Information, "{listener} no longer listens on {address}: the machine has lost it")]
    public static partial void AddressClosed(ILogger log, string listener, IPEndPoint address);

    [LoggerMessage(22, LogLevel.Error, "A request ended in an error of the gateway's own")]
    public static partial void RequestFailed(ILogger log, Exception error);

    [LoggerMessage(24, LogLevel.Debug, "A TLS handshake of {client} came to nothing: {result} {why}")]
    public static partial void HandshakeEnded(ILogger log, string client, string result, string why);

    [LoggerMessage(25, LogLevel.Error, "The certificate of {secret}, which the control plane took, is not taken here ({error}): its names are shown the default one")]
    public static partial void CertificateNotTaken(ILogger log, string secret, string error);

    [LoggerMessage(23, LogLevel.Warning, "{listener} goes on with the addresses it has: those of the machine cannot be told now ({error})")]
    public static partial void AddressesUnknown(ILogger log, string listener, string error);

    [LoggerMessage(26, LogLevel.Error, "A connection to {service} met an exception and was closed; {times} since this was last said")]
    public static partial void ConnectionFailed(ILogger log, NamespacedName service, int times, Exception failure);
}
