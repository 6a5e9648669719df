namespace Mesh.Core.Routing;

/// <summary>Why something was not forwarded. Bodies, access log, spans, metrics and status conditions use these words.</summary>
public enum RefusalReason
{
    NoMatchingHost,
    NoMatchingPath,
    ServiceNotFound,
    ServicePortNotFound,
    NoEndpoints,
    NoReadyEndpoints,
    NotSynced,
    MalformedRequest,
    DotSegmentInPath,
    MethodNotAllowed,
    HeadersTooLarge,
    TargetTooLong,
    ConnectFailed,
    UpstreamFailed,
    UpstreamTimeout,
    ClientGone,
    Overloaded,
    RequestTimeout,
    LoopDetected,
    GatewayFailed,
}
