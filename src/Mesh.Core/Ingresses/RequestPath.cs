namespace Mesh.Core.Ingresses;

/// <summary>
/// Judges the raw path of a request target before it is matched: dot segments, plain or percent-encoded, bad
/// percent-encoding, NUL and non-ASCII bytes are refused (RFC 3986 §3.3, §6.2.2).
/// </summary>
public static class RequestPath
{
    public static RequestPathProblem? Check(ReadOnlySpan<char> path) => throw new NotImplementedException();
}

public enum RequestPathProblem
{
    DotSegment,
    BadPercentEncoding,
    ControlOrNonAscii,
}
