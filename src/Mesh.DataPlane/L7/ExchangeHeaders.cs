namespace Mesh.DataPlane.L7;

/// <summary>Headers of the gateway's own.</summary>
internal static class ExchangeHeaders
{
    public const string RequestId = "X-Request-ID";
    public const string TraceResponse = "traceresponse";
}
