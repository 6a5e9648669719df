using System.Globalization;

namespace Mesh.DataPlane.Tests.Support;

/// <summary>A request as an endpoint got it.</summary>
internal sealed record RecordedRequest(string Line, IReadOnlyList<(string Name, string Value)> Headers, string Body)
{
    public string Method => Line.Split(' ')[0];

    public string Target => Line.Split(' ')[1];

    public IEnumerable<string> All(string name) =>
        Headers.Where(header => string.Equals(header.Name, name, StringComparison.OrdinalIgnoreCase)).Select(header => header.Value);

    public string? Header(string name) => All(name).SingleOrDefault();

    /// <summary>The whole requests at the front of the bytes, by their framing.</summary>
    public static IReadOnlyList<RecordedRequest> Parse(string bytes)
    {
        var requests = new List<RecordedRequest>();
        for (var at = 0; ;)
        {
            var end = bytes.IndexOf("\r\n\r\n", at, StringComparison.Ordinal);
            if (end < 0)
            {
                return requests;
            }

            var lines = bytes[at..end].Split("\r\n");
            var headers = lines.Skip(1).Select(line => (line[..line.IndexOf(':', StringComparison.Ordinal)], line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim())).ToList();
            var request = new RecordedRequest(lines[0], headers, "");
            at = end + 4;
            var body = request.Header("Transfer-Encoding") is not null
                ? Chunked(bytes, ref at)
                : Sized(bytes, int.Parse(request.Header("Content-Length") ?? "0", CultureInfo.InvariantCulture), ref at);
            if (body is null)
            {
                return requests;
            }

            requests.Add(request with { Body = body });
        }
    }

    private static string? Sized(string bytes, int length, ref int at)
    {
        if (bytes.Length - at < length)
        {
            return null;
        }

        at += length;
        return bytes[(at - length)..at];
    }

    private static string? Chunked(string bytes, ref int at)
    {
        var body = "";
        while (true)
        {
            var end = bytes.IndexOf("\r\n", at, StringComparison.Ordinal);
            if (end < 0)
            {
                return null;
            }

            var size = int.Parse(bytes[at..end], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            at = end + 2;
            if (bytes.Length < at + size + 2)
            {
                return null;
            }

            body += bytes.Substring(at, size);
            at += size + 2;
            if (size == 0)
            {
                return body;
            }
        }
    }
}
