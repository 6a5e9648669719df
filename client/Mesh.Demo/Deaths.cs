using System.Diagnostics;

namespace Mesh.Demo;

/// <summary>The chapters of the story in which processes are killed while requests flow.</summary>
internal sealed class Deaths(Cluster cluster, Teller tell, Answers answers, Uri clusterIP, CancellationToken stop)
{
    public const string SoupHost = "soup.example.com";

    private static readonly string[] Collections =
    [
        Story.PodsPath,
        "/api/v1/namespaces/default/services",
        "/apis/networking.k8s.io/v1/namespaces/default/ingresses",
    ];

    private static readonly TimeSpan Before = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan After = TimeSpan.FromSeconds(3);

    private readonly LoadReport _report = new(tell);

    /// <summary>A Pod dies, and another takes its place.</summary>
    public async Task ShowPodAsync()
    {
        tell.Chapter("A Pod is killed with SIGKILL under load");
        var address = await PodAddressAsync("soup-1");
        await using var load = StartLoad();
        await RunAsync(load, Before);
        await using var watch = await DeletionWatch.OpenAsync(cluster.Api, Story.PodsPath, "soup-1", stop);
        var killed = Stopwatch.GetTimestamp();
        await cluster.Soup("soup-1").KillAsync();
        var gone = Stopwatch.GetTimestamp();
        await RunAsync(load, After);
        await load.EndAsync();
        _report.Death([.. load.Attempts], "soup-1", killed, gone);
        var told = await watch.ToldAsync();
        tell.Fact(
            told is not null,
            told is null ? $"the API's watch did not tell the deletion: {watch.Failure}" : $"the API's watch told the deletion {Teller.Ms(Stopwatch.GetElapsedTime(killed, told.Value))} after the kill");
        await ShowReplacementAsync(address);
    }

    /// <summary>The silo dies, a Pod dies while there is none, and the silo is started again; the load goes on all the time.</summary>
    public async Task ShowSiloAsync()
    {
        tell.Chapter("The control plane is killed with SIGKILL while requests flow");
        var node = cluster.Node();
        var before = await IdentitiesAsync(stop);
        await using var load = StartLoad();
        await RunAsync(load, Before);
        var siloKilled = Stopwatch.GetTimestamp();
        await cluster.Silo.KillAsync();
        await RunAsync(load, Before);
        var killed = Stopwatch.GetTimestamp();
        await cluster.Soup("soup-2").KillAsync();
        var gone = Stopwatch.GetTimestamp();
        await RunAsync(load, After);
        var restarted = Stopwatch.GetTimestamp();
        _report.OnlyAnswers(load.Between(siloKilled, killed), "without a silo");
        _report.Death(load.Between(killed, restarted), "soup-2", killed, gone);
        tell.Waiting("starting mesh-silo again …");
        await cluster.StartSiloAsync(stop);
        tell.Fact(
            cluster.Node() == node,
            $"mesh-silo started again (pid {cluster.Silo.Id}), ready after {Teller.Ms(Stopwatch.GetElapsedTime(restarted))}; the node was pid {node.Pid}, and is pid {cluster.Node().Pid}");
        await ShowNothingLostAsync(before);
        await load.EndAsync();
        _report.OnlyAnswers(load.Between(restarted, long.MaxValue), "while the silo came back");
        var still = await answers.GetAsync(new Uri(cluster.Ingress, "/api"), Story.IngressHost, stop);
        tell.Fact(still.GetProperty("pod").GetString() == "api-1", $"the Ingress still answers /api from {still.GetProperty("pod")}");
    }

    private async Task ShowReplacementAsync(string oldAddress)
    {
        tell.Chapter("A replacement takes its place");
        var clock = Stopwatch.StartNew();
        tell.Waiting("starting soup-4 …");
        cluster.StartSoup("soup-4", "soup-backend");
        await Cluster.WaitAsync(
            "soup-4 takes traffic",
            async token => (await answers.TryGetAsync(clusterIP, null, token))?.GetProperty("pod").GetString() == "soup-4",
            cluster.Soup("soup-4"),
            stop);
        var took = clock.Elapsed;
        var address = await PodAddressAsync("soup-4");
        tell.Fact(address != oldAddress, $"soup-4 at {address} (soup-1 was at {oldAddress}) answered {Teller.Ms(took)} after its process was started");
    }

    private async Task ShowNothingLostAsync(Dictionary<string, string> before)
    {
        await Cluster.WaitAsync("soup-2 is gone from the API", async token => !(await IdentitiesAsync(token)).ContainsKey($"{Story.PodsPath}/soup-2"), null, stop);
        before.Remove($"{Story.PodsPath}/soup-2");
        var after = await IdentitiesAsync(stop);
        var counts = Collections.Select(path => $"{after.Keys.Count(name => name.StartsWith(path + "/", StringComparison.Ordinal))} {path.Split('/')[^1]}");
        var changed = before.Except(after).Concat(after.Except(before)).Select(entry => entry.Key).Distinct().ToList();
        tell.Fact(
            changed.Count == 0,
            changed.Count == 0
                ? $"everything is still there, each with the uid and the ClusterIP it had: {string.Join(", ", counts)}"
                : $"not as it was: {string.Join(", ", changed)}");
    }

    private Load StartLoad() => new(cluster.Ingress, SoupHost, clusterIP);

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

    private async Task<string> PodAddressAsync(string name)
    {
        var pod = await cluster.Api.GetAsync($"{Story.PodsPath}/{name}", stop);
        return pod.GetProperty("status").GetProperty("podIP").GetString()!;
    }

    /// <summary>What makes each object itself, by its path.</summary>
    private async Task<Dictionary<string, string>> IdentitiesAsync(CancellationToken token)
    {
        var all = new Dictionary<string, string>();
        foreach (var path in Collections)
        {
            foreach (var (name, identity) in await cluster.Api.IdentitiesAsync(path, token))
            {
                all.Add($"{path}/{name}", identity);
            }
        }

        return all;
    }
}
