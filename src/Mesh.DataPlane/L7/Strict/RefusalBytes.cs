using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;

namespace Mesh.DataPlane.L7.Strict;

/// <summary>A refusal as a whole HTTP/1.1 answer, for requests that no HTTP server object exists for.</summary>
internal static class RefusalBytes
{
    public static byte[] Of(Refusal refusal, DateTimeOffset now)
    {
        var body = refusal.Body;
        return Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"HTTP/1.1 {refusal.Status} {ReasonPhrases.GetReasonPhrase(refusal.Status)}\r\nDate: {now:r}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}"));
    }
}
