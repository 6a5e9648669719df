using System.Diagnostics;
using System.Net;
using Mesh.Benchmarks.Load;
using Mesh.Benchmarks.Measuring;
using Mesh.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Benchmarks.Scenarios;

/// <summary>
/// What a call costs its caller that names a Service, against the same call of a fixed address, in turns of one run: one
/// client, one request after the other, to one endpoint.
/// </summary>
internal static class DiscoveryBenchmark
{
    private const int Rounds = 9;
    private const int Calls = 10_000;

    public static async Task RunAsync(CancellationToken stop)
    {
        Report.Title("discovery: a call by name, and of a fixed address");
        using var backend = new RawBackend();
        await using var cluster = await BenchCluster.StartAsync();
        await cluster.CreateServiceAsync("backend", 8080, headless: false, stop);
        await cluster.RegisterAsync(1, _ => "backend-1", _ => BenchCluster.ReadyPod("backend", IPAddress.Loopback, backend.Port), stop);
        await using var fixedApplication = Application(cluster, _ => { });
        await using var named = Application(cluster, services => services.AddMeshHttpDefaults());
        using var fixedClient = Client(fixedApplication, $"http://127.0.0.1:{backend.Port}");
        using var namedClient = Client(named, "http://backend");
        await Reached.AfterAsync(TimeSpan.FromSeconds(1), stop);
        var (own, peer) = (new Figures(), new Figures());
        await CallAsync(fixedClient, new Figures(), stop);
        await CallAsync(namedClient, new Figures(), stop);
        var ratio = new Sample();
        for (var round = 0; round < Rounds; round++)
        {
            var (other, mine) = (await CallAsync(fixedClient, peer, stop), await CallAsync(namedClient, own, stop));
            ratio.Add(mine / other);
        }

        Report.Ratio("a call by name", "µs", own.Microseconds.Median, "a fixed address", peer.Microseconds.Median, ratio.Median, budget: 1.1);
        Report.Note(FormattableString.Invariant($"ratio of the rounds {ratio.Percentile(1):F2} to {ratio.Percentile(100):F2}"));
        Report.Figure("allocated for a call by name", own.Bytes.Median, "B");
        Report.Figure("allocated for a call of a fixed address", peer.Bytes.Median, "B");
    }

    private static ServiceProvider Application(BenchCluster cluster, Action<IServiceCollection> compose)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddHttpClient("calls");
        services.Configure<MeshOptions>(options => options.NodeUrl = cluster.Silo.NodeUrl.ToString());
        compose(services);
        return services.BuildServiceProvider();
    }

    private static HttpClient Client(ServiceProvider application, string address)
    {
        var client = application.GetRequiredService<IHttpClientFactory>().CreateClient("calls");
        client.BaseAddress = new Uri(address);
        return client;
    }

    /// <summary>Microseconds per call of this round.</summary>
    private static async Task<double> CallAsync(HttpClient client, Figures figures, CancellationToken stop)
    {
        var began = Stopwatch.GetTimestamp();
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        for (var call = 0; call < Calls; call++)
        {
            using var answer = await client.GetAsync("/", stop);
            answer.EnsureSuccessStatusCode();
        }

        var microseconds = Stopwatch.GetElapsedTime(began).TotalMicroseconds / Calls;
        figures.Microseconds.Add(microseconds);
        figures.Bytes.Add((GC.GetTotalAllocatedBytes(precise: true) - allocated) / (double)Calls);
        return microseconds;
    }

    private sealed class Figures
    {
        public Sample Microseconds { get; } = new();

        public Sample Bytes { get; } = new();
    }
}
