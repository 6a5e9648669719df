using System.Net;
using System.Text;
using System.Text.Json;
using Mesh.Testing.Processes;

namespace Mesh.Benchmarks.Load;

/// <summary>One machine with real processes: the silo and its node, and what the benchmarks create in them.</summary>
internal sealed class BenchCluster : IAsyncDisposable
{
    private const int CreatesAtOnce = 16;
    private const int OpensAtOnce = 64;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan RestFor = TimeSpan.FromSeconds(5);

    private readonly List<RegistrationStream> _streams = [];

    private BenchCluster(SiloUnderTest silo)
    {
        Silo = silo;
        Api = silo.Api();
        Node = IPEndPoint.Parse(silo.Address("node"));
    }

    public SiloUnderTest Silo { get; }

    public HttpClient Api { get; }

    public IPEndPoint Node { get; }

    public static async Task<BenchCluster> StartAsync(params string[] extra) => new(await SiloUnderTest.StartNewAsync(extra));

    /// <param name="environment">Of both processes.</param>
    public static async Task<BenchCluster> StartAsync(IReadOnlyDictionary<string, string> environment) => new(await SiloUnderTest.StartNewAsync(null, environment));

    public async Task<JsonElement> CreateAsync(string collection, object body, CancellationToken stop)
    {
        using var content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        using var response = await Api.PostAsync(new Uri(collection, UriKind.Relative), content, stop);
        var text = await response.Content.ReadAsStringAsync(stop);
        if (response.StatusCode != HttpStatusCode.Created)
        {
            throw new InvalidOperationException($"POST {collection}: {(int)response.StatusCode} {text}");
        }

        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    /// <summary>A Service that selects <c>app: name</c>; its ClusterIP.</summary>
    public async Task<IPAddress?> CreateServiceAsync(string name, int port, bool headless, CancellationToken stop)
    {
        var created = await CreateAsync("/api/v1/namespaces/default/services", Service(name, port, headless), stop);
        return headless ? null : IPAddress.Parse(created.GetProperty("spec").GetProperty("clusterIP").GetString()!);
    }

    public Task CreateServicesAsync(int count, CancellationToken stop) => Parallel.ForAsync(
        0,
        count,
        new ParallelOptions { MaxDegreeOfParallelism = CreatesAtOnce, CancellationToken = stop },
        async (number, one) => await CreateServiceAsync($"service-{number}", 8080, headless: false, one));

    public async Task DeleteAsync(string path, CancellationToken stop)
    {
        using var response = await Api.DeleteAsync(new Uri(path, UriKind.Relative), stop);
        response.EnsureSuccessStatusCode();
    }

    public Task CreatePodsAsync(int count, Func<int, object> manifest, CancellationToken stop) => Parallel.ForAsync(
        0,
        count,
        new ParallelOptions { MaxDegreeOfParallelism = CreatesAtOnce, CancellationToken = stop },
        async (number, one) => await CreateAsync("/api/v1/namespaces/default/pods", manifest(number), one));

    /// <summary>Registers many Pods, many at a time; the streams stay open. Completes when the node has taken all on.</summary>
    public async Task<IReadOnlyList<RegistrationStream>> RegisterAsync(int count, Func<int, string> name, Func<int, string> body, CancellationToken stop)
    {
        var opened = new RegistrationStream[count];
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = OpensAtOnce, CancellationToken = stop }, async (number, one) =>
        {
            opened[number] = await RegistrationStream.OpenAsync(Node, name(number), body(number), one);
            await opened[number].Accepted.WaitAsync(one);
        });
        _streams.AddRange(opened);
        return opened;
    }

    /// <summary>Ends every registration, as by a kill of its process; completes when the API shows none of them.</summary>
    public async Task EndAllAsync(TimeSpan limit, CancellationToken stop)
    {
        var ended = _streams.ToArray();
        _streams.Clear();
        await Task.WhenAll(ended.Select(stream => stream.EndAsync()));
        await WaitForCountAsync("/api/v1/pods", 0, limit, stop);
    }

    /// <summary>Until a collection has so many objects.</summary>
    public async Task WaitForCountAsync(string collection, long count, TimeSpan limit, CancellationToken stop)
    {
        using var late = new CancellationTokenSource(limit, TimeProvider.System);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, late.Token);
        using var look = new PeriodicTimer(LookEvery, TimeProvider.System);
        while (await CountAsync(collection, either.Token) != count)
        {
            await look.WaitForNextTickAsync(either.Token);
        }
    }

    /// <summary>Until the store has counted nothing for a while: what mirrors the state of grains, paced, is written too.</summary>
    public async Task WaitForRestAsync(TimeSpan limit, CancellationToken stop)
    {
        using var late = new CancellationTokenSource(limit, TimeProvider.System);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, late.Token);
        using var look = new PeriodicTimer(RestFor, TimeProvider.System);
        var (before, now) = ("", await VersionAsync(either.Token));
        while (before != now)
        {
            await look.WaitForNextTickAsync(either.Token);
            (before, now) = (now, await VersionAsync(either.Token));
        }
    }

    /// <summary>How many objects a collection has, from a page of one and what the API says remains.</summary>
    public async Task<long> CountAsync(string collection, CancellationToken stop)
    {
        using var document = JsonDocument.Parse(await Api.GetStringAsync(new Uri(collection + "?limit=1", UriKind.Relative), stop));
        var remaining = document.RootElement.GetProperty("metadata").TryGetProperty("remainingItemCount", out var more) ? more.GetInt64() : 0;
        return document.RootElement.GetProperty("items").GetArrayLength() + remaining;
    }

    private async Task<string> VersionAsync(CancellationToken stop)
    {
        using var document = JsonDocument.Parse(await Api.GetStringAsync(new Uri("/api/v1/namespaces?limit=1", UriKind.Relative), stop));
        return document.RootElement.GetProperty("metadata").GetProperty("resourceVersion").GetString()!;
    }

    /// <summary>A registration's body: ready because it says so, so that nothing is probed.</summary>
    public static string ReadyPod(string app, IPAddress address, int port) =>
        JsonSerializer.Serialize(new { labels = new { app }, address = address.ToString(), ports = new[] { new { name = "http", containerPort = port } }, ready = true });

    /// <summary>A registration whose readiness is asked for every second at this path.</summary>
    public static string ProbedPod(string app, int port, string path) => JsonSerializer.Serialize(new
    {
        labels = new { app },
        ports = new[] { new { name = "http", containerPort = port } },
        readinessProbe = new { httpGet = new { path, port }, periodSeconds = 1, failureThreshold = 1, timeoutSeconds = 1 },
    });

    public async ValueTask DisposeAsync()
    {
        foreach (var stream in _streams)
        {
            stream.Dispose();
        }

        Api.Dispose();
        await Silo.DisposeAsync();
    }

    private static object Service(string name, int port, bool headless)
    {
        var ports = new[] { new { port, targetPort = "http" } };
        var selector = new { app = name };
        return headless
            ? new { apiVersion = "v1", kind = "Service", metadata = new { name }, spec = new { clusterIP = "None", selector, ports } }
            : new { apiVersion = "v1", kind = "Service", metadata = new { name }, spec = new { selector, ports } };
    }
}
