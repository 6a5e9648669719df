using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json;
using Mesh.EndToEnd.Tests.Traffic;
using Mesh.Testing;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Survival;

/// <summary>Two applications call each other by name, and lose no request to the death of anything between them.</summary>
public sealed class CalledByNameTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    [Trait("Row", "ECO-3.5.7")]
    public async Task Applications_that_call_each_other_by_name_fail_no_request_while_Pods_node_and_silo_are_killed()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        using var api = machine.Api();
        object[] ports = [new { name = "http", port = SomeService.Port, targetPort = "http" }];
        await SomeService.CreateAsync(api, "kitchen", "kitchen", ports, Stop);
        await SomeService.CreateAsync(api, "table", "table", ports, Stop);
        await using var applications = new Applications(machine);
        var (table, kitchen) = (applications.Start("table-1", "table", "http://kitchen"), applications.Start("kitchen-1", "kitchen", "http://table"));
        applications.Start("table-2", "table", "http://kitchen");
        applications.Start("kitchen-2", "kitchen", "http://table");
        await using var asked = new AskedPods(await applications.UrlAsync("table-1"), await applications.UrlAsync("kitchen-1"));
        await asked.AnswersAsync("kitchen-1", "kitchen-2", "table-1", "table-2");

        // A Pod dies, and another one comes.
        Signals.Kill(applications.Pid("kitchen-2"));
        applications.Start("kitchen-3", "kitchen", "http://table");
        await asked.AnswersAsync("kitchen-1", "kitchen-3");

        // The node dies and comes back: what comes after it is heard of.
        Signals.Kill(machine.NodePid);
        await asked.AnswersAsync("kitchen-1", "kitchen-3", "table-1", "table-2");
        await Eventually.Meets("the node is back", _ => Task.FromResult(table.Output + kitchen.Output), said => said.Contains("The node is back", StringComparison.Ordinal), Soon);
        applications.Start("table-3", "table", "http://kitchen");
        await asked.AnswersAsync("table-1", "table-2", "table-3");

        // The silo dies, then a Pod: the node alone says so.
        await machine.KillSiloAsync(Stop);
        Signals.Kill(applications.Pid("table-2"));
        await asked.AnswersAsync("table-1", "table-3", "kitchen-1", "kitchen-3");

        // Nobody is left who could say so.
        Signals.Kill(machine.NodePid);
        Signals.Kill(applications.Pid("kitchen-3"));
        await asked.AnswersAsync("table-1", "table-3", "kitchen-1");
        await asked.AnswersAsync("kitchen-1");

        await machine.StartAsync();
        applications.Start("kitchen-4", "kitchen", "http://table");
        await asked.AnswersAsync("kitchen-1", "kitchen-4", "table-1", "table-3");
        Assert.Empty(await asked.FailuresAsync());
    }

    /// <summary>Samples that join by the SDK, each told whom its <c>/menu</c> calls.</summary>
    private sealed class Applications(SiloUnderTest machine) : IAsyncDisposable
    {
        private readonly Dictionary<string, ProcessUnderTest> _processes = [];
        private readonly HttpClient _node = new() { BaseAddress = machine.NodeUrl };

        public int Pid(string name) => _processes[name].Pid;

        public ProcessUnderTest Start(string name, string app, string calls) => _processes[name] = ProcessUnderTest.Start(
            BuiltProgram.Path("Soup", "Soup"),
            [],
            new Dictionary<string, string>
            {
                ["MESH_NODE_URL"] = machine.NodeUrl.ToString(),
                ["MESH_POD_NAME"] = name,
                ["MESH_LABELS"] = $"app={app}",
                ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
                ["MENU_URL"] = calls,
            });

        /// <summary>Where a Pod itself answers, as its node tells any process of the machine.</summary>
        public async Task<Uri> UrlAsync(string name)
        {
            var pod = await Eventually.Meets(
                $"Pod {name}",
                async stop => await _node.GetAsync($"/v1/namespaces/default/pods/{name}", stop) is { IsSuccessStatusCode: true } found ? await found.Content.ReadFromJsonAsync<JsonElement>(stop) : default,
                seen => seen.ValueKind == JsonValueKind.Object,
                Soon);
            var port = pod.GetProperty("spec").GetProperty("containers")[0].GetProperty("ports")[0].GetProperty("containerPort").GetInt32();
            return new Uri($"http://{pod.GetProperty("status").GetProperty("podIP").GetString()}:{port}/menu");
        }

        public async ValueTask DisposeAsync()
        {
            _node.Dispose();
            foreach (var process in _processes.Values)
            {
                await process.DisposeAsync();
            }
        }
    }

    /// <summary>Asks both applications without a pause, and keeps which Pod they were answered by.</summary>
    private sealed class AskedPods : IAsyncDisposable
    {
        private const int AtOnce = 2;

        private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false });
        private readonly CancellationTokenSource _enough = new();
        private readonly ConcurrentQueue<string> _failures = new();
        private readonly Task _asking;
        private ConcurrentDictionary<string, int> _answered = new();

        public AskedPods(params Uri[] applications) =>
            _asking = Task.WhenAll(applications.SelectMany(url => Enumerable.Repeat(url, AtOnce)).Select(AskAsync));

        /// <summary>From now on, each of these answers twenty times; others may too.</summary>
        public async Task AnswersAsync(params string[] pods)
        {
            Interlocked.Exchange(ref _answered, new ConcurrentDictionary<string, int>());
            await Eventually.Meets(
                $"answers of {string.Join(", ", pods)}",
                _ => Task.FromResult(Volatile.Read(ref _answered)),
                answered => pods.All(pod => answered.GetValueOrDefault(pod) >= 20),
                Soon);
        }

        public async Task<IReadOnlyCollection<string>> FailuresAsync()
        {
            await _enough.CancelAsync();
            await _asking;
            return _failures;
        }

        public async ValueTask DisposeAsync()
        {
            await FailuresAsync();
            _client.Dispose();
            _enough.Dispose();
        }

        private async Task AskAsync(Uri application)
        {
            // Until the first answer its Service and its Pods only come.
            var isServed = false;
            while (!_enough.IsCancellationRequested)
            {
                using var answer = await _client.GetAsync(application, Stop);
                var body = await answer.Content.ReadAsStringAsync(Stop);
                isServed |= answer.IsSuccessStatusCode;
                if (answer.IsSuccessStatusCode)
                {
                    using var menu = JsonDocument.Parse(body);
                    Volatile.Read(ref _answered).AddOrUpdate(menu.RootElement.GetProperty("menu").GetProperty("pod").GetString()!, 1, static (_, count) => count + 1);
                }
                else if (isServed)
                {
                    _failures.Enqueue(body);
                }
            }
        }
    }
}
