using System.Diagnostics;
using System.Net;
using System.Text.Json;

namespace Mesh.Demo;

/// <summary>What the demo shows, in order; each fact comes from a request that was really made.</summary>
internal sealed class Story(Cluster cluster, SpanReceiver? spans, Teller tell, CancellationToken stop) : IDisposable
{
    public const string IngressHost = "myapp.example.com";
    public const string PodsPath = "/api/v1/namespaces/default/pods";

    private const string ServiceName = "soup-counter";
    private static readonly string[] Backends = ["soup-1", "soup-2", "soup-3"];

    private readonly Answers _answers = new();

    public async Task TellAsync()
    {
        await StartAsync();
        var clusterIP = await ShowServiceAsync();
        await new ServiceTypes(cluster, tell, _answers, stop).ShowAsync(Manifest("service-types.yaml"));
        await ShowIngressAsync();
        await new TwoHops(cluster, spans, tell, _answers, stop).ShowAsync();
        var deaths = new Deaths(cluster, tell, _answers, clusterIP, stop);
        await deaths.ShowPodAsync();
        await deaths.ShowSiloAsync();
    }

    public void Dispose() => _answers.Dispose();

    private async Task StartAsync()
    {
        tell.Chapter("One machine, no containers, no root");
        tell.Waiting("starting mesh-silo and its mesh-node …");
        var clock = Stopwatch.StartNew();
        await cluster.StartSiloAsync(stop);
        tell.Fact(true, $"mesh-silo (pid {cluster.Silo.Id}) and its mesh-node (pid {cluster.Node().Pid}) are ready after {Teller.Ms(clock.Elapsed)}");
        tell.Waiting("starting five Soup processes …");
        foreach (var name in Backends)
        {
            cluster.StartSoup(name, "soup-backend");
        }

        cluster.StartSoup("api-1", "my-api");
        cluster.StartSoup("frontend-1", "my-frontend");
        foreach (var file in new[] { "services.yaml", "ingress.yaml" })
        {
            tell.Fact(true, $"applied {file}: {string.Join(", ", await cluster.Api.CreateAllAsync(Manifest(file), stop))}");
        }

        await Cluster.WaitAsync("five Pods are ready", async token => await ReadyPodsAsync(token) == 5, null, stop);
        tell.Fact(true, "five Soup processes registered themselves as Pods and are ready");
    }

    private async Task<Uri> ShowServiceAsync()
    {
        tell.Chapter("A Service: one address, one name, three Pods");
        var service = await cluster.Api.GetAsync($"/api/v1/namespaces/default/services/{ServiceName}", stop);
        var address = IPAddress.Parse(service.GetProperty("spec").GetProperty("clusterIP").GetString()!);
        var url = new Uri($"http://{address}:8080/");
        var name = $"{ServiceName}.default.svc.cluster.local";
        var resolved = await DnsLookup.AddressOfAsync(name, cluster.Dns, stop);
        tell.Fact(address.Equals(resolved), $"DNS says {name} is {resolved?.ToString() ?? "unknown"}");
        await Cluster.WaitAsync("the ClusterIP answers", async token => await _answers.TryGetAsync(url, null, token) is not null, null, stop);
        var shares = new Dictionary<string, int>();
        for (var i = 0; i < 60; i++)
        {
            var pod = (await _answers.GetAsync(url, null, stop)).GetProperty("pod").GetString()!;
            shares[pod] = shares.GetValueOrDefault(pod) + 1;
        }

        tell.Fact(
            shares.Keys.Order().SequenceEqual(Backends),
            $"60 requests to {address}:8080 were shared: {string.Join(", ", shares.OrderBy(share => share.Key).Select(share => $"{share.Key} {share.Value}"))}");
        return url;
    }

    private async Task ShowIngressAsync()
    {
        tell.Chapter($"An Ingress: Host {IngressHost}, two Services");
        foreach (var (path, backend) in new[] { ("/api", "api-1"), ("/api/soups?hot=1", "api-1"), ("/", "frontend-1"), ("/apis", "frontend-1") })
        {
            var answer = await _answers.GetAsync(new Uri(cluster.Ingress, path), IngressHost, stop);
            tell.Fact(answer.GetProperty("pod").GetString() == backend, $"GET {path} was answered by {answer.GetProperty("pod")}");
        }

        var (status, body) = await _answers.AskAsync(cluster.Ingress, "myap.example.com", stop);
        tell.Fact(status == HttpStatusCode.NotFound, $"a host without a rule: {(int)status} \"{body.Trim()}\"");

        await new Https(cluster, tell, stop).ShowAsync(Manifest("https-ingress.yaml"));

        // The load of later chapters goes through an Ingress path of its own to the three Pods.
        await cluster.Api.CreateAllAsync(Manifest("soup-ingress.yaml"), stop);
        await Cluster.WaitAsync(
            "the soup Ingress answers",
            async token => await _answers.TryGetAsync(cluster.Ingress, Deaths.SoupHost, token) is not null,
            null,
            stop);
    }

    private async Task<int> ReadyPodsAsync(CancellationToken token)
    {
        var pods = await cluster.Api.GetAsync(PodsPath, token);
        return pods.GetProperty("items").EnumerateArray().Count(IsReady);
    }

    private static bool IsReady(JsonElement pod) =>
        pod.TryGetProperty("status", out var status)
        && status.TryGetProperty("conditions", out var conditions)
        && conditions.EnumerateArray().Any(condition =>
            condition.GetProperty("type").GetString() == "Ready" && condition.GetProperty("status").GetString() == "True");

    private static string Manifest(string file) => Path.Combine(AppContext.BaseDirectory, "manifests", file);
}
