using Mesh.Core.Routing;
using Microsoft.AspNetCore.Http;

namespace Mesh.DataPlane.L7;

/// <summary>An answer of the gateway's own: the reason for machines, the sentence for people.</summary>
internal sealed record Refusal(RefusalReason Reason, string Detail, int Status)
{
    /// <summary>nginx's code for "the client closed the connection"; it stands in the log only.</summary>
    public const int ClientClosedRequest = 499;

    public static Refusal Of(RefusalReason reason, string detail) => new(reason, detail, StatusOf(reason));

    public static Refusal Malformed(string detail, int status = StatusCodes.Status400BadRequest) =>
        new(RefusalReason.MalformedRequest, detail, status);

    /// <summary>The body of the answer, one line of text.</summary>
    public string Body => $"{Reason}: {Detail}\n";

    private static int StatusOf(RefusalReason reason) => reason switch
    {
        RefusalReason.NoMatchingHost or RefusalReason.NoMatchingPath => StatusCodes.Status404NotFound,
        RefusalReason.MalformedRequest or RefusalReason.DotSegmentInPath => StatusCodes.Status400BadRequest,
        RefusalReason.MethodNotAllowed => StatusCodes.Status405MethodNotAllowed,
        RefusalReason.HeadersTooLarge => StatusCodes.Status431RequestHeaderFieldsTooLarge,
        RefusalReason.TargetTooLong => StatusCodes.Status414UriTooLong,
        RefusalReason.RequestTimeout => StatusCodes.Status408RequestTimeout,
        RefusalReason.ConnectFailed or RefusalReason.UpstreamFailed => StatusCodes.Status502BadGateway,
        RefusalReason.UpstreamTimeout => StatusCodes.Status504GatewayTimeout,
        RefusalReason.GatewayFailed => StatusCodes.Status500InternalServerError,
        RefusalReason.LoopDetected => StatusCodes.Status508LoopDetected,
        RefusalReason.ClientGone => ClientClosedRequest,
        RefusalReason.ServiceNotFound or RefusalReason.ServicePortNotFound or RefusalReason.NoEndpoints
            or RefusalReason.NoReadyEndpoints or RefusalReason.NotSynced or RefusalReason.Overloaded => StatusCodes.Status503ServiceUnavailable,
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
