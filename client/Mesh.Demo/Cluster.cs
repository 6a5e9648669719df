using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Mesh.Demo;

/// <summary>
/// The processes of the demo: one silo (which starts its node) in a data directory of its own on free ports, and Soup
/// backends. Everything is known as a user knows it: command line, files that the README names, HTTP.
/// </summary>
internal sealed class Cluster : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    private readonly Dictionary<string, ChildProcess> _soups = [];
    private ChildProcess? _silo;
    private int _starts;

    private Cluster(string home) => Home = home;

    /// <summary>Everything that the demo writes.</summary>
    public string Home { get; }

    public string DataDirectory => Path.Combine(Home, "data");

    public string Kubeconfig => Path.Combine(DataDirectory, "admin.kubeconfig");

    public ChildProcess Silo => _silo ?? throw new InvalidOperationException("The silo has not been started.");

    /// <summary>Where the node listens: <c>ingressHttp</c>, <c>dns</c>, <c>node</c> and so on.</summary>
    public Dictionary<string, string> Addresses { get; private set; } = [];

    public Uri Ingress => new($"http://127.0.0.1:{Addresses["ingressHttp"].Split(':')[^1]}");

    public IPEndPoint Dns => IPEndPoint.Parse(Addresses["dns"]);

    public static Cluster Create() => new(Directory.CreateTempSubdirectory("mesh-demo-").FullName);

    /// <summary>Starts mesh-silo and waits until it says that it is ready.</summary>
    public async Task StartSiloAsync(CancellationToken stop)
    {
        _starts++;
        _silo = ChildProcess.Start(
            Path.Combine(AppContext.BaseDirectory, "silo", "mesh-silo"),
            [
                "--data-dir", DataDirectory,
                "--api-listen", "127.0.0.1:0",
                "--node-listen", "127.0.0.1:0",
                "--ingress-http", "127.0.0.1:0",
                "--dns-listen", "127.0.0.1:0",
                "--silo-port", "0",
            ],
            Path.Combine(Home, $"silo-{_starts}"));
        await WaitAsync("mesh-silo is ready", IsReadyAsync, _silo, stop);
    }

    /// <summary>Starts a Soup backend that registers itself.</summary>
    public ChildProcess StartSoup(string name, string app)
    {
        var soup = ChildProcess.Start(
            Path.Combine(AppContext.BaseDirectory, "soup", "Soup"),
            [],
            Path.Combine(Home, name),
            new Dictionary<string, string>
            {
                ["MESH_NODE_URL"] = $"http://{Addresses["node"]}",
                ["MESH_POD_NAME"] = name,
                ["MESH_LABELS"] = $"app={app}",
                ["MESH_ADDRESS"] = "allocate",
                ["Mesh__AllocateTimeout"] = "00:00:15", // all of them would fall back to one port on a busy machine
                ["ASPNETCORE_URLS"] = "http://127.0.0.1:8080",
                ["OTEL_SERVICE_NAME"] = app,
            });
        _soups.Add(name, soup);
        return soup;
    }

    public ChildProcess Soup(string name) => _soups[name];

    /// <summary>Waits for something observed; tells what it waited for when it does not come.</summary>
    public static async Task WaitAsync(string what, Func<CancellationToken, Task<bool>> observe, ChildProcess? process, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(StartLimit);
        using var tick = new PeriodicTimer(Poll);
        try
        {
            while (!await observe(limit.Token))
            {
                if (process is { HasExited: true })
                {
                    throw new DemoException($"{what}: the process ended; its output is in {process.Log}.*");
                }

                await tick.WaitForNextTickAsync(limit.Token);
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new DemoException($"{what}: not within {StartLimit.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s. ");
        }
    }

    /// <summary>The process id of the node, which outlives its silo.</summary>
    public int NodeId() => int.Parse(File.ReadAllText(Path.Combine(DataDirectory, "node.pid")), CultureInfo.InvariantCulture);

    /// <summary>Ends every process, the node too, and removes the data directory when nothing went wrong.</summary>
    public async Task<bool> EndAsync(bool keepFiles)
    {
        await Task.WhenAll(_soups.Values.Select(soup => soup.StopAsync()));
        var ended = _silo is null || await _silo.StopAsync() == 0;
        await DisposeAsync();
        if (!keepFiles)
        {
            Directory.Delete(Home, recursive: true);
        }

        return ended;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var soup in _soups.Values)
        {
            await soup.DisposeAsync();
        }

        if (_silo is not null)
        {
            await _silo.DisposeAsync();
        }

        _soups.Clear();
        _silo = null;
    }

    private async Task<bool> IsReadyAsync(CancellationToken stop)
    {
        var book = Path.Combine(DataDirectory, "addresses.json");
        if (!File.Exists(book) || !File.Exists(Kubeconfig))
        {
            return false;
        }

        Addresses = JsonSerializer.Deserialize<Dictionary<string, string>>(await File.ReadAllTextAsync(book, stop))!;
        try
        {
            using var api = KubernetesApi.FromKubeconfig(Kubeconfig);
            await api.GetTextAsync("/readyz", stop);
            return true;
        }
        catch (Exception notYet) when (notYet is HttpRequestException or IOException)
        {
            return false;
        }
    }
}
