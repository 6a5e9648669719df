using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using System.Text;

namespace Mesh.Client;

/// <summary>Where the node of this machine answers: <c>http://127.0.0.1:6480</c>, or <c>unix:</c> and the path of its socket.</summary>
internal sealed record NodeEndpoint
{
    /// <summary>A longer path is a link to a shorter one, as <c>sun_path</c> holds 108 bytes (unix(7)).</summary>
    private const int MaxSocketPath = 100;

    private NodeEndpoint(Uri http, string? socket)
    {
        Http = http;
        Socket = socket;
    }

    /// <summary>The base of request URLs; behind a socket only its path matters.</summary>
    public Uri Http { get; }

    public string? Socket { get; }

    public static bool TryParse(string? text, [NotNullWhen(true)] out NodeEndpoint? result)
    {
        result = null;
        if (text is not null && text.StartsWith("unix:", StringComparison.Ordinal))
        {
            var path = text["unix:".Length..];
            path = path.StartsWith("//", StringComparison.Ordinal) ? path[2..] : path;
            result = path.Length > 0 && !path.Contains('\0', StringComparison.Ordinal) ? new NodeEndpoint(new Uri("http://localhost/"), path) : null;
        }
        else if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttp)
        {
            result = new NodeEndpoint(url, null);
        }

        return result is not null;
    }

    /// <summary>A client whose requests may stay open: they are leases.</summary>
    public HttpClient CreateClient() => new(
        new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            // A registration is no part of the application's traces, and its stream would be a span without end.
            ActivityHeadersPropagator = null,
            ConnectTimeout = TimeSpan.FromSeconds(2),
            ConnectCallback = Socket is { } path ? async (_, stop) => new NetworkStream(await ConnectAsync(path, stop), ownsSocket: true) : null,
        })
    {
        BaseAddress = Http,
        Timeout = Timeout.InfiniteTimeSpan,
        MaxResponseContentBufferSize = LineReader.MaxLine,
    };

    private static async Task<Socket> ConnectAsync(string path, CancellationToken stop)
    {
        var full = Path.GetFullPath(path);
        var target = Encoding.UTF8.GetByteCount(full) <= MaxSocketPath ? full : new FileInfo(full).LinkTarget ?? full;
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(target), stop);
            return socket;
        }
        catch (ArgumentOutOfRangeException tooLong)
        {
            socket.Dispose();
            throw new IOException($"The path of the node's socket is too long: {target}", tooLong);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
