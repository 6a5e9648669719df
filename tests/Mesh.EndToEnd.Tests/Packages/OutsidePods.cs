using System.Net.Http.Json;
using System.Text.Json;
using Mesh.Testing;
using Mesh.Testing.Processes;

namespace Mesh.EndToEnd.Tests.Packages;

/// <summary>Processes of the projects outside the repository, which are Pods of one machine.</summary>
internal sealed class OutsidePods(PackedSdk sdk, SiloUnderTest machine) : IAsyncDisposable
{
    private readonly Dictionary<string, ProcessUnderTest> _processes = [];
    private readonly HttpClient _node = new() { BaseAddress = machine.NodeUrl };

    public ProcessUnderTest Start(string project, string name) => _processes[name] = ProcessUnderTest.Start(
        sdk.Program(project),
        [],
        new Dictionary<string, string>
        {
            ["MESH_NODE_URL"] = machine.NodeUrl.ToString(),
            ["MESH_POD_NAME"] = name,
            ["MESH_LABELS"] = $"app={project}",
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
            ["Logging__LogLevel__Default"] = "Warning",
            ["Logging__LogLevel__Mesh.Client"] = "Information",
        });

    public void Kill(string name) => Signals.Kill(_processes[name].Pid);

    /// <summary>Where a Pod itself answers, as its node tells any process of the machine.</summary>
    public async Task<Uri> UrlAsync(string name)
    {
        var pod = await Eventually.Meets(
            $"Pod {name}",
            async stop => await _node.GetAsync($"/v1/namespaces/default/pods/{name}", stop) is { IsSuccessStatusCode: true } found ? await found.Content.ReadFromJsonAsync<JsonElement>(stop) : default,
            seen => seen.ValueKind == JsonValueKind.Object,
            TimeSpan.FromSeconds(60));
        var port = pod.GetProperty("spec").GetProperty("containers")[0].GetProperty("ports")[0].GetProperty("containerPort").GetInt32();
        return new Uri($"http://{pod.GetProperty("status").GetProperty("podIP").GetString()}:{port}/other");
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
