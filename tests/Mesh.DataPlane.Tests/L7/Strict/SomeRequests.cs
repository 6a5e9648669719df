using System.Text;

namespace Mesh.DataPlane.Tests.L7.Strict;

/// <summary>What some client sends on one connection: a few requests of all framings, in every second case with one byte wrong.</summary>
internal static class SomeRequests
{
    private static readonly string[] Methods = ["GET", "POST", "PUT", "HEAD", "OPTIONS", "M-SEARCH"];
    private static readonly string[] Targets = ["/", "/a%20b?c=d", "http://app.test/x", "*", "/..;/a"];
    private static readonly string[] Fields = ["Accept: */*", "X-Empty:", "Cookie: a=b; c=d", "Connection: keep-alive", "X-Long: " + new string('x', 300), "TE: trailers"];
    private static readonly string[] Extensions = ["", "", ";a=b", ";q=\"x;y\""];
    private const string Wrong = "\r\n\0 :;,\t=\u007f\u0080\u00ff0Zz\"";

    public static byte[] Next(Random random)
    {
        var text = new StringBuilder();
        for (var request = random.Next(1, 4); request > 0; request--)
        {
            Add(text, random);
        }

        var bytes = Encoding.Latin1.GetBytes(text.ToString());
        return random.Next(2) == 0 ? bytes : Mutate(bytes, random);
    }

    private static void Add(StringBuilder text, Random random)
    {
        text.Append(random.Next(10) == 0 ? "\r\n" : "").Append(Of(Methods, random)).Append(' ').Append(Of(Targets, random)).Append(" HTTP/1.1\r\nHost: app.test\r\n");
        for (var field = random.Next(4); field > 0; field--)
        {
            text.Append(Of(Fields, random)).Append("\r\n");
        }

        switch (random.Next(3))
        {
            case 0:
                text.Append("\r\n");
                break;
            case 1:
                var length = random.Next(60);
                text.Append("Content-Length: ").Append(length).Append("\r\n\r\n").Append(Bytes(length, random));
                break;
            default:
                AddChunks(text.Append("Transfer-Encoding: chunked\r\n\r\n"), random);
                break;
        }
    }

    private static void AddChunks(StringBuilder text, Random random)
    {
        for (var chunk = random.Next(4); chunk > 0; chunk--)
        {
            var size = random.Next(1, 40);
            text.Append(size.ToString(random.Next(2) == 0 ? "x" : "X4", System.Globalization.CultureInfo.InvariantCulture)).Append(Of(Extensions, random)).Append("\r\n");
            text.Append(Bytes(size, random)).Append("\r\n");
        }

        text.Append('0').Append(Of(Extensions, random)).Append("\r\n").Append(random.Next(3) == 0 ? "X-Trailer: a\r\n" : "").Append("\r\n");
    }

    /// <summary>Of all values: data is nobody's to look at.</summary>
    private static string Bytes(int length, Random random)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return Encoding.Latin1.GetString(bytes);
    }

    private static byte[] Mutate(byte[] bytes, Random random)
    {
        var at = random.Next(bytes.Length);
        var wrong = (byte)Wrong[random.Next(Wrong.Length)];
        return random.Next(4) switch
        {
            0 => [.. bytes[..at], wrong, .. bytes[at..]],
            1 => [.. bytes[..at], .. bytes[(at + 1)..]],
            2 => bytes[..at],
            _ => [.. bytes[..at], wrong, .. bytes[(at + 1)..]],
        };
    }

    private static string Of(string[] values, Random random) => values[random.Next(values.Length)];
}
