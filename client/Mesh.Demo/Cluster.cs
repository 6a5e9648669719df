using System.Diagnostics;
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
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly Dictionary<string, ChildProcess> _soups = [];
    private readonly List<ChildProcess> _children = [];
    private readonly HashSet<ProcessEntry> _started = [];
    private ChildProcess? _silo;
    private KubernetesApi? _api;
    private readonly string _nodePorts = FreePlaces.NodePorts();
    private readonly string _balancer = FreePlaces.LoadBalancer();
    private int _starts;
    private bool _ended;

    private Cluster(string home, IReadOnlyDictionary<string, string> environment)
    {
        Home = home;
        _environment = environment;
    }

    /// <summary>Everything that the demo writes.</summary>
    public string Home { get; }

    public string DataDirectory => Path.Combine(Home, "data");

    public string Kubeconfig => Path.Combine(DataDirectory, "admin.kubeconfig");

    public ChildProcess Silo => _silo ?? throw new InvalidOperationException("The silo has not been started.");

    public KubernetesApi Api => _api ?? throw new InvalidOperationException("The silo has not been started.");

    /// <summary>Where the node listens: <c>ingressHttp</c>, <c>dns</c>, <c>node</c> and so on.</summary>
    public Dictionary<string, string> Addresses { get; private set; } = [];

    public Uri Ingress => new($"http://127.0.0.1:{Addresses["ingressHttp"].Split(':')[^1]}");

    public IPEndPoint IngressTls => new(IPAddress.Loopback, IPEndPoint.Parse(Addresses["ingressHttps"]).Port);

    public IPEndPoint Dns => IPEndPoint.Parse(Addresses["dns"]);

    /// <summary>Whether the silo ended as one that was asked to; not so when somebody killed it.</summary>
    public bool EndedInOrder { get; private set; }

    /// <param name="environment">Of all its processes.</param>
    public static Cluster Create(IReadOnlyDictionary<string, string> environment) => new(Directory.CreateTempSubdirectory("mesh-demo-").FullName, environment);

    private static string SiloProgram => Path.Combine(AppContext.BaseDirectory, "silo", "mesh-silo");

    /// <summary>Starts mesh-silo and waits until it says that it is ready.</summary>
    public async Task StartSiloAsync(CancellationToken stop)
    {
        _starts++;
        _silo = ChildProcess.Start(
            SiloProgram,
            [
                "--data-dir", DataDirectory,
                "--api-listen", "127.0.0.1:0",
                "--node-listen", "127.0.0.1:0",
                "--ingress-http", "127.0.0.1:0",
                "--ingress-https", "127.0.0.1:0",
                "--dns-listen", "127.0.0.1:0",
                "--silo-port", "0",
                "--nodeport-range", _nodePorts,
                "--loadbalancer-pool", _balancer,
            ],
            Path.Combine(Home, $"silo-{_starts}"),
            _environment);
        Remember(_silo);
        await WaitAsync("mesh-silo is ready", IsReadyAsync, _silo, stop);
        _started.Add(Node());
        _api?.Dispose();
        _api = KubernetesApi.FromKubeconfig(Kubeconfig);
    }

    /// <summary>Starts a Soup backend that registers itself.</summary>
    public ChildProcess StartSoup(string name, string app)
    {
        var soup = ChildProcess.Start(
            Path.Combine(AppContext.BaseDirectory, "soup", "Soup"),
            [],
            Path.Combine(Home, name),
            new Dictionary<string, string>(_environment)
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
        Remember(soup);
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
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            throw new DemoException($"{what}: not within {StartLimit.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s");
        }
    }

    /// <summary>The node, which outlives its silo.</summary>
    public ProcessEntry Node() =>
        ProcessEntry.Find(int.Parse(File.ReadAllText(Path.Combine(DataDirectory, "node.pid")), CultureInfo.InvariantCulture))
        ?? throw new DemoException("the node that node.pid names does not run");

    /// <summary>
    /// Ends every process, however the silo ended, and removes all files unless they are to be kept. Answers with the
    /// processes that are still there.
    /// </summary>
    public async Task<IReadOnlyList<int>> EndAsync(bool keepFiles)
    {
        _ended = true;
        _api?.Dispose();
        await Task.WhenAll(_soups.Values.Select(soup => soup.StopAsync()));
        await StopNodeAndSiloAsync();
        EndedInOrder = _silo is null || await _silo.StopAsync() == 0;
        foreach (var child in _children)
        {
            await child.DisposeAsync();
        }

        var left = await LeftAsync();
        if (left.Count == 0 && !keepFiles)
        {
            Directory.Delete(Home, recursive: true);
        }

        return left;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_ended)
        {
            await EndAsync(keepFiles: true);
        }
    }

    private void Remember(ChildProcess child)
    {
        _children.Add(child);
        if (ProcessEntry.Find(child.Id) is { } process)
        {
            _started.Add(process);
        }
    }

    /// <summary>As the README says; a second time for a node that was just being started by a silo that was killed.</summary>
    private async Task StopNodeAndSiloAsync()
    {
        for (var tries = 0; tries < 2 && Directory.Exists(DataDirectory) && (tries == 0 || ProcessEntry.Naming(DataDirectory).Any()); tries++)
        {
            await using var command = ChildProcess.Start(SiloProgram, ["--stop", "--data-dir", DataDirectory], Path.Combine(Home, "stop"));
            await command.WaitAsync();
        }
    }

    private async Task<IReadOnlyList<int>> LeftAsync()
    {
        using var tick = new PeriodicTimer(Poll);
        for (var clock = Stopwatch.StartNew(); ; await tick.WaitForNextTickAsync())
        {
            List<int> left = [.. _started.Where(process => process.IsAlive).Concat(ProcessEntry.Naming(DataDirectory)).Select(process => process.Pid).Distinct()];
            if (left.Count == 0 || clock.Elapsed > EndLimit)
            {
                return left;
            }
        }
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
        catch (Exception notYet) when (notYet is HttpRequestException or IOException || (notYet is OperationCanceledException && !stop.IsCancellationRequested))
        {
            return false;
        }
    }
}
