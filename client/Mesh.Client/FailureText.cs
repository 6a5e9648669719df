using System.Net;

namespace Mesh.Client;

/// <summary>Why the node could not be asked, in the words of the innermost cause, and what helps.</summary>
internal static class FailureText
{
    public const string NoNode =
        "what answers there is no mesh-node: MESH_NODE_URL is where it registers Pods (--node-listen, " + MeshOptions.DefaultNodeUrl + " by default)";

    private const int LongestQuote = 200;

    /// <param name="wasNode">A node has answered on this connection: then its end is all there is to say.</param>
    public static string Of(Exception error, bool wasNode)
    {
        var cause = error.GetBaseException();
        var said = cause.Message.TrimEnd('.');
        return error switch
        {
            _ when wasNode => said,
            HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError } =>
                $"{said}; is mesh-silo started on this machine, and MESH_NODE_URL its --node-listen?",
            HttpRequestException or HttpIOException => $"{said}; {NoNode}",
            _ => said,
        };
    }

    /// <summary>An answer without a Status: only of the node's own failure it is known that it has none.</summary>
    public static string OfStranger(HttpStatusCode status, string? contentType, ReadOnlySpan<char> body)
    {
        if (status == HttpStatusCode.InternalServerError)
        {
            return "status 500, and no reason";
        }

        // Plain text is one line for people, such as the Ingress's; the page of some other server is nothing to log.
        var end = body.IndexOfAny('\r', '\n');
        var line = contentType == "text/plain" ? body[..(end < 0 ? body.Length : end)] : [];
        var quote = line.Length is > 0 and <= LongestQuote ? $" (\"{line}\")" : line.Length > 0 ? $" (\"{line[..LongestQuote]}…\")" : ", and no reason";
        return $"status {(int)status}{quote}; {NoNode}";
    }
}
