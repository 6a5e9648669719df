using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Mesh.Demo;

/// <summary>What the demo shows, in order; each fact comes from a request that was really made.</summary>
internal sealed class Story(Cluster cluster, Teller tell, CancellationToken stop) : IDisposable
{
    private const string IngressHost = "myapp.example.com";
    private const string ServiceName = "soup-counter";
    private const string PodsPath = "/api/v1/namespaces/default/pods";
    private const int MinRequestsPerSecond = 200;
    private static readonly string[] Backends = ["soup-1", "soup-2", "soup-3"];
    private static readonly TimeSpan Before = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan After = TimeSpan.FromSeconds(3);

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, PooledConnectionLifetime = TimeSpan.Zero });
    private KubernetesApi? _api;
    private IPAddress _clusterIP = IPAddress.None;

    private KubernetesApi Api => _api ?? throw new InvalidOperationException("The silo has not been started.");

    private Uri ClusterUrl => new($"http://{_clusterIP}:8080/");

    public async Task TellAsync()
    {
        await StartAsync();
        await ShowServiceAsync();
        await ShowIngressAsync();
        await ShowDeathAsync();
        await ShowReplacementAsync();
        await ShowSiloDeathAsync();
    }

    public void Dispose()
    {
        _api?.Dispose();
        _http.Dispose();
    }

    private async Task StartAsync()
    {
        tell.Chapter("One machine, no containers, no root");
        var clock = Stopwatch.StartNew();
        await cluster.StartSiloAsync(stop);
        _api = KubernetesApi.FromKubeconfig(cluster.Kubeconfig);
        tell.Fact(true, $"mesh-silo (pid {cluster.Silo.Id}) and its mesh-node (pid {cluster.NodeId()}) are ready after {Ms(clock.Elapsed)}");
        foreach (var name in Backends)
        {
            cluster.StartSoup(name, "soup-backend");
        }

        cluster.StartSoup("api-1", "my-api");
        cluster.StartSoup("frontend-1", "my-frontend");
        var manifests = Path.Combine(AppContext.BaseDirectory, "manifests");
        foreach (var file in new[] { "services.yaml", "ingress.yaml" })
        {
            tell.Fact(true, $"applied {file}: {string.Join(", ", await Api.CreateAllAsync(Path.Combine(manifests, file), stop))}");
        }

        await Cluster.WaitAsync("five Pods are ready", async token => await ReadyPodsAsync(token) == 5, null, stop);
        tell.Fact(true, "five Soup processes registered themselves as Pods and are ready");
    }

    private async Task ShowServiceAsync()
    {
        tell.Chapter("A Service: one address, one name, three Pods");
        var service = await Api.GetAsync($"/api/v1/namespaces/default/services/{ServiceName}", stop);
        _clusterIP = IPAddress.Parse(service.GetProperty("spec").GetProperty("clusterIP").GetString()!);
        var name = $"{ServiceName}.default.svc.cluster.local";
        var resolved = await DnsLookup.AddressOfAsync(name, cluster.Dns, stop);
        tell.Fact(_clusterIP.Equals(resolved), $"DNS says {name} is {resolved}");
        await Cluster.WaitAsync("the ClusterIP answers", async token => await TryGetAsync(ClusterUrl, null, token) is not null, null, stop);
        var shares = new Dictionary<string, int>();
        for (var i = 0; i < 60; i++)
        {
            var pod = (await GetAsync(ClusterUrl, null)).GetProperty("pod").GetString()!;
            shares[pod] = shares.GetValueOrDefault(pod) + 1;
        }

        tell.Fact(shares.Count == 3, $"60 requests to {_clusterIP}:8080 were shared: {string.Join(", ", shares.OrderBy(share => share.Key).Select(share => $"{share.Key} {share.Value}"))}");
    }

    private async Task ShowIngressAsync()
    {
        tell.Chapter($"An Ingress: Host {IngressHost}, two Services");
        foreach (var (path, backend) in new[] { ("/api", "api-1"), ("/api/soups?hot=1", "api-1"), ("/", "frontend-1"), ("/apis", "frontend-1") })
        {
            var answer = await GetAsync(new Uri(cluster.Ingress, path), IngressHost);
            tell.Fact(answer.GetProperty("pod").GetString() == backend, $"GET {path} was answered by {answer.GetProperty("pod")}");
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, cluster.Ingress) { Headers = { Host = "myap.example.com" } };
        using var missing = await _http.SendAsync(request, stop);
        tell.Fact(missing.StatusCode == HttpStatusCode.NotFound, $"a host without a rule: {(int)missing.StatusCode} \"{(await missing.Content.ReadAsStringAsync(stop)).Trim()}\"");

        // The load of the next chapters goes through an Ingress path of its own to the three Pods.
        await Api.CreateAllAsync(Path.Combine(AppContext.BaseDirectory, "manifests", "soup-ingress.yaml"), stop);
        await Cluster.WaitAsync("the soup Ingress answers", async token => await TryGetAsync(cluster.Ingress, "soup.example.com", token) is not null, null, stop);
    }

    private async Task ShowDeathAsync()
    {
        tell.Chapter("A Pod is killed with SIGKILL under load");
        await using var load = StartLoad();
        await RunAsync(load, Before);
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var told = WatchForDeletionAsync("soup-1", watching.Token);
        var killed = Stopwatch.GetTimestamp();
        await cluster.Soup("soup-1").KillAsync();
        var gone = Stopwatch.GetTimestamp();
        await RunAsync(load, After);
        await load.EndAsync();
        watching.CancelAfter(TimeSpan.FromSeconds(5));
        var attempts = load.Attempts.ToList();
        Report(attempts, "soup-1", killed, gone);
        var at = await told;
        tell.Fact(at is not null, at is null ? "the API's watch did not tell the deletion" : $"the API's watch told the deletion {Ms(Elapsed(killed, at.Value))} after the kill");
    }

    private async Task ShowReplacementAsync()
    {
        tell.Chapter("A replacement takes its place");
        var clock = Stopwatch.StartNew();
        cluster.StartSoup("soup-4", "soup-backend");
        await Cluster.WaitAsync(
            "soup-4 takes traffic",
            async token => (await TryGetAsync(ClusterUrl, null, token))?.GetProperty("pod").GetString() == "soup-4",
            cluster.Soup("soup-4"),
            stop);
        var pod = await Api.GetAsync($"{PodsPath}/soup-4", stop);
        tell.Fact(true, $"soup-4 at {pod.GetProperty("status").GetProperty("podIP")} answered {Ms(clock.Elapsed)} after its process was started");
    }

    private async Task ShowSiloDeathAsync()
    {
        tell.Chapter("The control plane is killed with SIGKILL while requests flow");
        var before = await IdentitiesAsync();
        await using var load = StartLoad();
        await RunAsync(load, Before);
        await cluster.Silo.KillAsync();
        var siloGone = Stopwatch.GetTimestamp();
        await RunAsync(load, Before);
        var killed = Stopwatch.GetTimestamp();
        await cluster.Soup("soup-2").KillAsync();
        var gone = Stopwatch.GetTimestamp();
        await RunAsync(load, After);
        await load.EndAsync();
        var attempts = load.Attempts.ToList();
        var during = attempts.Where(attempt => attempt.Began > siloGone).ToList();
        var unmoved = during.Where(attempt => attempt.Ended < killed).ToList();
        tell.Fact(unmoved.Count > 0 && unmoved.All(attempt => attempt.Failure is null), $"without a silo {unmoved.Count} requests were answered, {unmoved.Count(attempt => attempt.Failure is not null)} failed");
        Report(during, "soup-2", killed, gone);
        var clock = Stopwatch.StartNew();
        await cluster.StartSiloAsync(stop);
        _api?.Dispose();
        _api = KubernetesApi.FromKubeconfig(cluster.Kubeconfig);
        tell.Fact(true, $"mesh-silo started again (pid {cluster.Silo.Id}), ready after {Ms(clock.Elapsed)}; the node never stopped");
        await Cluster.WaitAsync("soup-2 is gone from the API", async token => !(await IdentitiesAsync(token)).ContainsKey("soup-2"), null, stop);
        before.Remove("soup-2");
        var after = await IdentitiesAsync();
        tell.Fact(before.Count == after.Count && before.All(pod => after.GetValueOrDefault(pod.Key) == pod.Value), $"everything is still there: {string.Join(", ", after.Keys.Order())}, each with the uid it had");
        var still = await GetAsync(new Uri(cluster.Ingress, "/api"), IngressHost);
        tell.Fact(still.GetProperty("pod").GetString() == "api-1", "the Ingress still answers /api from api-1");
    }

    private Load StartLoad() => new(cluster.Ingress, "soup.example.com", ClusterUrl);

    /// <summary>Lets the load run, with a live line.</summary>
    private async Task RunAsync(Load load, TimeSpan time)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(250));
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < time && await tick.WaitForNextTickAsync(stop);)
        {
            var attempts = load.Attempts;
            tell.Live($"{attempts.Count} requests, {attempts.Count(attempt => attempt.Failure is not null)} failed");
        }
    }

    /// <summary>What the load saw of a killed Pod.</summary>
    private void Report(List<Attempt> attempts, string pod, long killed, long gone)
    {
        var rate = attempts.Count / Elapsed(attempts.Min(attempt => attempt.Began), attempts.Max(attempt => attempt.Ended)).TotalSeconds;
        tell.Fact(rate >= MinRequestsPerSecond, string.Create(CultureInfo.InvariantCulture, $"{attempts.Count} requests, {rate:F0} a second, while {pod} was killed"));
        foreach (var way in new[] { Load.Ingress, Load.ClusterIP })
        {
            var failed = attempts.Where(attempt => attempt.Way == way && attempt.Failure is not null).ToList();
            var excused = way == Load.ClusterIP ? failed.Where(attempt => attempt.Began <= gone).ToList() : [];
            var why = failed.Count == 0 ? "" : $" ({failed[0].Failure})";
            tell.Fact(
                failed.Count == excused.Count,
                $"{way}: {attempts.Count(attempt => attempt.Way == way)} requests, {failed.Count} failed{(excused.Count > 0 ? ", only on connections open to the killed Pod" : why)}");
        }

        var reached = attempts.Where(attempt => attempt.Pod == pod || attempt.Failure is not null).Select(attempt => attempt.Began).DefaultIfEmpty(killed).Max();
        tell.Fact(
            attempts.Any(attempt => attempt.Began > reached && attempt.Failure is null),
            reached > killed ? $"the last attempt to reach it began {Ms(Elapsed(killed, reached))} after the kill" : "no attempt to reach it began after the kill");
    }

    private async Task<long?> WatchForDeletionAsync(string name, CancellationToken token)
    {
        try
        {
            await foreach (var (type, pod) in Api.WatchAsync(PodsPath, token))
            {
                if (type == "DELETED" && pod.GetProperty("metadata").GetProperty("name").GetString() == name)
                {
                    return Stopwatch.GetTimestamp();
                }
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // Not told in time: the fact above says so.
        }

        return null;
    }

    private async Task<int> ReadyPodsAsync(CancellationToken token)
    {
        var pods = await Api.GetAsync(PodsPath, token);
        return pods.GetProperty("items").EnumerateArray().Count(IsReady);
    }

    private static bool IsReady(JsonElement pod) =>
        pod.TryGetProperty("status", out var status)
        && status.TryGetProperty("conditions", out var conditions)
        && conditions.EnumerateArray().Any(condition =>
            condition.GetProperty("type").GetString() == "Ready" && condition.GetProperty("status").GetString() == "True");

    private Task<Dictionary<string, string>> IdentitiesAsync() => IdentitiesAsync(stop);

    private async Task<Dictionary<string, string>> IdentitiesAsync(CancellationToken token)
    {
        var pods = await Api.GetAsync(PodsPath, token);
        return pods.GetProperty("items").EnumerateArray().Select(pod => pod.GetProperty("metadata")).ToDictionary(
            metadata => metadata.GetProperty("name").GetString()!,
            metadata => metadata.GetProperty("uid").GetString()!);
    }

    private async Task<JsonElement> GetAsync(Uri url, string? host) =>
        await TryGetAsync(url, host, stop) ?? throw new DemoException($"GET {url} (Host {host}) was not answered.");

    private async Task<JsonElement?> TryGetAsync(Uri url, string? host, CancellationToken token)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            request.Headers.Host = host;
            request.Headers.ConnectionClose = true;
            using var response = await _http.SendAsync(request, token);
            if (!response.IsSuccessStatusCode)
            {
                return null;
            }

            using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync(token));
            return body.RootElement.Clone();
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private static TimeSpan Elapsed(long from, long to) => Stopwatch.GetElapsedTime(from, to);

    private static string Ms(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:F0} ms");
}
