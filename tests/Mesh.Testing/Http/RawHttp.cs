using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mesh.Testing.Http;

/// <summary>HTTP/1.1 over a bare socket: every byte sent is the test's own.</summary>
public sealed class RawHttp : IAsyncDisposable
{
    private readonly TcpClient _connection;
    private readonly BufferedStream _stream;

    private RawHttp(TcpClient connection)
    {
        _connection = connection;
        _stream = new BufferedStream(connection.GetStream());
    }

    public Stream Stream => _stream;

    public Socket Socket => _connection.Client;

    public static async Task<RawHttp> ConnectAsync(IPEndPoint to, CancellationToken stop)
    {
        var connection = new TcpClient { NoDelay = true };
        await connection.ConnectAsync(to, stop);
        return new RawHttp(connection);
    }

    /// <summary>One exchange on a connection of its own.</summary>
    public static async Task<RawResponse> ExchangeAsync(IPEndPoint to, string request, CancellationToken stop)
    {
        await using var http = await ConnectAsync(to, stop);
        await http.SendAsync(request, stop);
        return await http.ReadResponseAsync(stop);
    }

    /// <summary>Latin-1: one char, one byte.</summary>
    public async Task SendAsync(string bytes, CancellationToken stop)
    {
        await _stream.WriteAsync(Encoding.Latin1.GetBytes(bytes), stop);
        await _stream.FlushAsync(stop);
    }

    /// <summary>Reads one response to the end of its body, as its framing tells (RFC 9112 §6.3).</summary>
    /// <exception cref="EndOfStreamException">The connection ended before.</exception>
    public async Task<RawResponse> ReadResponseAsync(CancellationToken stop)
    {
        var head = new StringBuilder();
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            head.Append((char)await ReadByteAsync(stop));
        }

        var lines = head.ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var headers = lines.Skip(1)
            .Select(line => line.Split(':', 2))
            .ToLookup(pair => pair[0].Trim(), pair => pair.Length > 1 ? pair[1].Trim() : "", StringComparer.OrdinalIgnoreCase);
        var status = int.Parse(lines[0].Split(' ')[1], CultureInfo.InvariantCulture);
        return new RawResponse(status, lines[0], headers, await ReadBodyAsync(status, headers, stop));
    }

    public ValueTask DisposeAsync()
    {
        _connection.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<string> ReadBodyAsync(int status, ILookup<string, string> headers, CancellationToken stop)
    {
        if (status is >= 100 and < 200 or 204 or 304)
        {
            return "";
        }

        if (headers["Transfer-Encoding"].Any(value => value.Contains("chunked", StringComparison.OrdinalIgnoreCase)))
        {
            var body = new StringBuilder();
            while (int.Parse(await ReadLineAsync(stop), NumberStyles.HexNumber, CultureInfo.InvariantCulture) is > 0 and var size)
            {
                body.Append(await ReadExactlyAsync(size, stop));
                await ReadLineAsync(stop);
            }

            await ReadLineAsync(stop);
            return body.ToString();
        }

        if (headers["Content-Length"].FirstOrDefault() is { } length)
        {
            return await ReadExactlyAsync(int.Parse(length, CultureInfo.InvariantCulture), stop);
        }

        using var rest = new StreamReader(_stream, Encoding.Latin1, leaveOpen: true);
        return await rest.ReadToEndAsync(stop);
    }

    private async Task<string> ReadLineAsync(CancellationToken stop)
    {
        var line = new StringBuilder();
        for (var next = await ReadByteAsync(stop); next != '\n'; next = await ReadByteAsync(stop))
        {
            line.Append((char)next);
        }

        return line.ToString().TrimEnd('\r');
    }

    private async Task<string> ReadExactlyAsync(int count, CancellationToken stop)
    {
        var bytes = new byte[count];
        await _stream.ReadExactlyAsync(bytes, stop);
        return Encoding.Latin1.GetString(bytes);
    }

    private async Task<byte> ReadByteAsync(CancellationToken stop)
    {
        var one = new byte[1];
        await _stream.ReadExactlyAsync(one, stop);
        return one[0];
    }
}

/// <summary>A response as it came.</summary>
public sealed record RawResponse(int Status, string StatusLine, ILookup<string, string> Headers, string Body);
