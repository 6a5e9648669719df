using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text.Json;

namespace Mesh.Demo;

/// <summary>One request of the load: when it began and ended, who answered, or why nobody did.</summary>
/// <param name="Began">A time stamp of <see cref="Stopwatch"/>.</param>
/// <param name="Broke">Whether a connection that was there broke, unlike one that was refused, or was never answered.</param>
internal sealed record Attempt(string Way, long Began, long Ended, string? Pod, string? Failure, bool Broke = false);

/// <summary>Steady traffic in two ways: kept connections through the Ingress, and a new connection per request to a ClusterIP.</summary>
internal sealed class Load : IAsyncDisposable
{
    public const string Ingress = "Ingress";
    public const string ClusterIP = "ClusterIP";

    /// <summary>The most connections that are open to a ClusterIP at any one time.</summary>
    public const int NewConnectionLoops = 4;

    /// <summary>From one request of a loop to its next.</summary>
    public static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(20);

    private const int KeptConnections = 8;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private readonly ConcurrentQueue<Attempt> _attempts = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    public Load(Uri ingress, string ingressHost, Uri clusterIP)
    {
        var kept = Enumerable.Range(0, KeptConnections).Select(_ => RunAsync(Ingress, ingress, ingressHost, keep: true));
        var fresh = Enumerable.Range(0, NewConnectionLoops).Select(_ => RunAsync(ClusterIP, clusterIP, null, keep: false));
        _running = Task.WhenAll([.. kept, .. fresh]);
    }

    public IReadOnlyCollection<Attempt> Attempts => _attempts;

    /// <summary>What ended from one time stamp on, and before another.</summary>
    public List<Attempt> Between(long from, long to) => [.. _attempts.Where(attempt => attempt.Ended >= from && attempt.Ended < to)];

    public async Task EndAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _stop.Dispose();
    }

    private async Task RunAsync(string way, Uri url, string? host, bool keep)
    {
        await Task.Yield();
        using var http = Client(keep);
        using var tick = new PeriodicTimer(Pace);
        try
        {
            do
            {
                _attempts.Enqueue(await OnceAsync(http, way, url, host, keep));
            }
            while (await tick.WaitForNextTickAsync(_stop.Token));
        }
        catch (OperationCanceledException)
        {
            // The load ends between two requests.
        }
    }

    private static async Task<Attempt> OnceAsync(HttpClient http, string way, Uri url, string? host, bool keep)
    {
        var began = Stopwatch.GetTimestamp();
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            request.Headers.Host = host;
            request.Headers.ConnectionClose = !keep;
            using var response = await http.SendAsync(request);
            var body = await response.Content.ReadAsStringAsync();
            return response.StatusCode == HttpStatusCode.OK
                ? new Attempt(way, began, Stopwatch.GetTimestamp(), PodOf(body), null)
                : new Attempt(way, began, Stopwatch.GetTimestamp(), null, $"{(int)response.StatusCode} {body.Trim()}");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or OperationCanceledException or JsonException)
        {
            return new Attempt(way, began, Stopwatch.GetTimestamp(), null, error.GetBaseException().Message, Broke(error));
        }
    }

    private static bool Broke(Exception error) =>
        error is IOException or HttpRequestException { HttpRequestError: not (HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError) };

    private static string? PodOf(string body)
    {
        using var document = JsonDocument.Parse(body);
        return document.RootElement.GetProperty("pod").GetString();
    }

    private static HttpClient Client(bool keep) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        MaxConnectionsPerServer = 1,
        PooledConnectionLifetime = keep ? System.Threading.Timeout.InfiniteTimeSpan : TimeSpan.Zero,
    })
    {
        Timeout = Timeout,
    };
}
