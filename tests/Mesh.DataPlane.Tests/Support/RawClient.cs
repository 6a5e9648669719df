using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mesh.DataPlane.Tests.Support;

/// <summary>A client that sends exactly the bytes of a test.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private string _unread = "";

    private RawClient(Socket socket) => Socket = socket;

    public Socket Socket { get; }

    /// <summary>A client that is not connected yet.</summary>
    public static RawClient Open(IPEndPoint address) => new(new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true });

    public static async Task<RawClient> ConnectAsync(IPEndPoint address, CancellationToken stop)
    {
        var client = Open(address);
        await client.Socket.ConnectAsync(address, stop);
        return client;
    }

    public async Task SendAsync(string latin1, CancellationToken stop) => await Socket.SendAsync(Encoding.Latin1.GetBytes(latin1), stop);

    /// <summary>The next answer, read by its framing; null when the connection ended instead.</summary>
    public async Task<RawAnswer?> AnswerAsync(CancellationToken stop, bool toHead = false)
    {
        while (true)
        {
            if (RawAnswer.TryTake(ref _unread, toHead) is { } answer)
            {
                return answer;
            }

            if (!await ReceiveAsync(stop))
            {
                return null;
            }
        }
    }

    /// <summary>How many bytes the next answer is long.</summary>
    public async Task<int> BytesOfAnswerAsync(CancellationToken stop)
    {
        while (true)
        {
            var rest = _unread;
            if (RawAnswer.TryTake(ref rest, toHead: false) is not null)
            {
                var length = _unread.Length - rest.Length;
                _unread = rest;
                return length;
            }

            if (!await ReceiveAsync(stop))
            {
                return _unread.Length;
            }
        }
    }

    /// <summary>Everything until the other side ends or resets.</summary>
    public async Task<string> ToEndAsync(CancellationToken stop)
    {
        while (await ReceiveAsync(stop))
        {
        }

        return _unread;
    }

    public async Task<string> UntilAsync(string text, CancellationToken stop)
    {
        while (!_unread.Contains(text, StringComparison.Ordinal) && await ReceiveAsync(stop))
        {
        }

        var all = _unread;
        _unread = "";
        return all;
    }

    /// <summary>Whether the other side ended the connection; waits until it does.</summary>
    public async Task<bool> IsClosedAsync(CancellationToken stop) => !await ReceiveAsync(stop);

    public void Dispose() => Socket.Dispose();

    private async Task<bool> ReceiveAsync(CancellationToken stop)
    {
        try
        {
            var read = await Socket.ReceiveAsync(_buffer, stop);
            _unread += Encoding.Latin1.GetString(_buffer, 0, read);
            return read > 0;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

internal sealed record RawAnswer(int Status, IReadOnlyList<(string Name, string Value)> Headers, string Body)
{
    public string? Header(string name) =>
        Headers.Where(header => string.Equals(header.Name, name, StringComparison.OrdinalIgnoreCase)).Select(header => header.Value).SingleOrDefault();

    public static RawAnswer? TryTake(ref string bytes, bool toHead)
    {
        var end = bytes.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0)
        {
            return null;
        }

        var lines = bytes[..end].Split("\r\n");
        var status = int.Parse(lines[0].Split(' ')[1], CultureInfo.InvariantCulture);
        var headers = lines.Skip(1).Select(line => line.Split(": ", 2)).Select(parts => (parts[0], parts.Length > 1 ? parts[1] : "")).ToList();
        var answer = new RawAnswer(status, headers, "");
        var rest = bytes[(end + 4)..];
        if (toHead || status is < 200 or 204 or 304)
        {
            bytes = rest;
            return answer;
        }

        var body = answer.Header("Transfer-Encoding") is not null ? Chunks(ref rest) : Sized(ref rest, int.Parse(answer.Header("Content-Length") ?? "0", CultureInfo.InvariantCulture));
        if (body is null)
        {
            return null;
        }

        bytes = rest;
        return answer with { Body = body };
    }

    private static string? Sized(ref string rest, int length)
    {
        if (rest.Length < length)
        {
            return null;
        }

        var body = rest[..length];
        rest = rest[length..];
        return body;
    }

    private static string? Chunks(ref string rest)
    {
        var body = new StringBuilder();
        for (var at = 0; ;)
        {
            var end = rest.IndexOf("\r\n", at, StringComparison.Ordinal);
            if (end < 0)
            {
                return null;
            }

            var size = int.Parse(rest[at..end], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            at = end + 2;
            if (rest.Length < at + size + 2)
            {
                return null;
            }

            body.Append(rest, at, size);
            at += size + 2;
            if (size == 0)
            {
                rest = rest[at..];
                return body.ToString();
            }
        }
    }
}
