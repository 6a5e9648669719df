using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Mesh.Testing;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Telemetry;

/// <summary>What Prometheus scrapes: the node's page has the figures of both processes, the API's those of the silo.</summary>
public sealed partial class PrometheusTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    [Trait("Row", "ECO-7.3")]
    public async Task The_node_tells_the_figures_of_both_processes_and_its_own_while_the_silo_is_away()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        using var node = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = machine.NodeUrl };
        using var ingress = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = machine.IngressUrl };
        using var refused = await ingress.GetAsync("/nowhere", Stop);
        Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);

        var page = await Eventually.Meets("a page with the request and the silo", stop => ScrapeAsync(node, stop), seen => seen.Contains("NoMatchingHost", StringComparison.Ordinal) && seen.Contains("http_response_status_code=\"404\"", StringComparison.Ordinal), TimeSpan.FromSeconds(60));

        AssertWellFormed(page);
        Assert.Equal(1, Value(page, "mesh_forward_refusals_total", ("process_executable_name", "mesh-node"), ("reason", "NoMatchingHost")));
        Assert.Equal(1, Value(page, "http_server_request_duration_seconds_count", ("process_executable_name", "mesh-node"), ("http_response_status_code", "404")));
        Assert.NotEqual(0, Value(page, "mesh_store_transaction_commits_count", ("process_executable_name", "mesh-silo")));
        Assert.NotEqual(0, Value(page, "dotnet_process_memory_working_set_bytes", ("process_executable_name", "mesh-node")));
        Assert.NotEqual(0, Value(page, "dotnet_process_memory_working_set_bytes", ("process_executable_name", "mesh-silo")));

        await machine.KillSiloAsync(Stop);
        var alone = await ScrapeAsync(node, Stop);
        AssertWellFormed(alone);
        Assert.Contains("mesh_forward_refusals", alone, StringComparison.Ordinal);
        Assert.DoesNotContain("mesh-silo", alone, StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    [Trait("Row", "ECO-7.3")]
    public async Task The_API_tells_the_silos_figures_to_whoever_has_the_token()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        using var api = machine.Api();
        using var answer = await api.GetAsync("/metrics", Stop);
        var page = await answer.Content.ReadAsStringAsync(Stop);

        Assert.Equal((HttpStatusCode.OK, "text/plain"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        AssertWellFormed(page);
        Assert.NotEqual(0, Value(page, "mesh_store_transaction_commits_count", ("process_executable_name", "mesh-silo")));

        Assert.Contains("\"/metrics\"", await api.GetStringAsync("/", Stop), StringComparison.Ordinal);

        api.DefaultRequestHeaders.Authorization = null;
        using var stranger = await api.GetAsync("/metrics", Stop);
        Assert.Equal(HttpStatusCode.Unauthorized, stranger.StatusCode);
    }

    [Fact(Timeout = 300_000)]
    public async Task With_the_SDK_disabled_there_is_no_page()
    {
        await using var machine = await SiloUnderTest.StartNewAsync(environment: new Dictionary<string, string> { ["OTEL_SDK_DISABLED"] = "true" });
        using var node = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = machine.NodeUrl };
        using var api = machine.Api();

        Assert.Equal(HttpStatusCode.NotFound, (await node.GetAsync("/metrics", Stop)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await api.GetAsync("/metrics", Stop)).StatusCode);
        Assert.DoesNotContain("/metrics", await api.GetStringAsync("/", Stop), StringComparison.Ordinal);
    }

    private static async Task<string> ScrapeAsync(HttpClient node, CancellationToken stop)
    {
        using var answer = await node.GetAsync("/metrics", stop);
        Assert.Equal((HttpStatusCode.OK, "text/plain; version=0.0.4; charset=utf-8"), (answer.StatusCode, answer.Content.Headers.ContentType?.ToString()));
        return await answer.Content.ReadAsStringAsync(stop);
    }

    /// <summary>The one sample of this name that has these labels, whatever others it has.</summary>
    private static double Value(string page, string name, params (string Label, string Value)[] labels) => double.Parse(
        Assert.Single(
            page.Split('\n').Select(line => Sample().Match(line)),
            sample => sample.Success
                && sample.Groups["name"].Value == name
                && labels.All(label => sample.Groups["series"].Value.Contains($"{label.Label}=\"{label.Value}\"", StringComparison.Ordinal))).Groups["value"].Value,
        CultureInfo.InvariantCulture);

    /// <summary>Each metric has one header, its samples follow it, no sample comes twice, and every value is a number.</summary>
    private static void AssertWellFormed(string page)
    {
        var headers = new HashSet<string>();
        var samples = new HashSet<string>();
        var current = "";
        foreach (var line in page.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                current = line.Split(' ')[2];
                Assert.True(headers.Add(current), $"{current} has two headers");
            }
            else if (!line.StartsWith('#'))
            {
                var sample = Sample().Match(line);
                Assert.True(sample.Success, line);
                Assert.StartsWith(current, sample.Groups["name"].Value, StringComparison.Ordinal);
                Assert.True(samples.Add(sample.Groups["series"].Value), $"twice: {line}");
                Assert.True(
                    sample.Groups["value"].Value is "+Inf" or "-Inf" or "NaN"
                    || double.TryParse(sample.Groups["value"].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out _),
                    line);
            }
        }

        Assert.NotEmpty(samples);
    }

    [GeneratedRegex("""^(?<series>(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\n"])*",?)*\})?) (?<value>\S+)(?: -?[0-9]+)?$""")]
    private static partial Regex Sample();
}
