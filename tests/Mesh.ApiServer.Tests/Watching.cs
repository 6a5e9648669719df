using System.Text.Json.Nodes;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>An open watch.</summary>
internal sealed class Watching : IDisposable
{
    private readonly HttpResponseMessage _response;
    private readonly StreamReader _lines;

    private Watching(HttpResponseMessage response, Stream body)
    {
        _response = response;
        _lines = new StreamReader(body);
    }

    public int Code => (int)_response.StatusCode;

    public JsonNode? Last { get; private set; }

    public static async Task<Watching> StartAsync(ApiHost host, string path)
    {
        var stop = TestContext.Current.CancellationToken;
        var response = await host.Http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, stop);
        return new Watching(response, await response.Content.ReadAsStreamAsync(stop));
    }

    public async Task<(string Type, string? Name)> NextAsync()
    {
        var line = JsonNode.Parse((await _lines.ReadLineAsync(TestContext.Current.CancellationToken))!)!;
        Last = line["object"];
        return (line["type"]!.GetValue<string>(), Last!["metadata"]?["name"]?.GetValue<string>());
    }

    /// <summary>The types of all events until the server ends the watch.</summary>
    public async Task<List<string>> TypesToEndAsync()
    {
        var types = new List<string>();
        while (await _lines.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            var told = JsonNode.Parse(line)!;
            Last = told["object"];
            types.Add(told["type"]!.GetValue<string>());
        }

        return types;
    }

    public void Dispose()
    {
        _lines.Dispose();
        _response.Dispose();
    }
}
