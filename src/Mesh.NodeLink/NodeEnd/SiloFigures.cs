using System.Net;

namespace Mesh.NodeLink.NodeEnd;

/// <summary>Asks the silo of this machine, over the link's socket, for what it measured: the page that Prometheus reads.</summary>
/// <param name="socket">Path of the silo's <c>link.sock</c>.</param>
public sealed class SiloFigures(string socket) : IDisposable
{
    private const int LongestPage = 32 * 1024 * 1024;

    /// <summary>A silo that is stopped must not keep the node's own figures from whoever asks.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        UseProxy = false,
        ActivityHeadersPropagator = null,
        ConnectCallback = (_, stop) => SiloSocket.ConnectAsync(socket, stop),
    })
    {
        BaseAddress = new Uri("http://silo"),
        DefaultRequestVersion = HttpVersion.Version20,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        Timeout = Patience,
        MaxResponseContentBufferSize = LongestPage,
    };

    /// <summary>Null when it does not answer: it is away, or starting.</summary>
    public async Task<string?> ReadAsync(CancellationToken stop)
    {
        try
        {
            using var answer = await _http.GetAsync(SiloEnd.LinkServer.MetricsPath, stop);
            return answer.IsSuccessStatusCode ? await answer.Content.ReadAsStringAsync(stop) : null;
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException || (failure is OperationCanceledException && !stop.IsCancellationRequested))
        {
            return null;
        }
    }

    public void Dispose() => _http.Dispose();
}
