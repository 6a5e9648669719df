using System.Net;
using System.Text;
using System.Text.Json;

namespace Mesh.Testing.Backends;

/// <summary>A registration held open by one HTTP request, as curl would hold it.</summary>
public sealed class RegisteredPod : IAsyncDisposable
{
    private readonly HttpClient _client;
    private readonly HttpResponseMessage _response;
    private readonly StreamReader _lines;

    private RegisteredPod(HttpClient client, HttpResponseMessage response, StreamReader lines, string first)
    {
        _client = client;
        _response = response;
        _lines = lines;
        First = first;
        using var line = JsonDocument.Parse(first);
        Uid = line.RootElement.GetProperty("object").GetProperty("metadata").GetProperty("uid").GetString()!;
    }

    /// <summary>The first line of the answer: the Pod as registered.</summary>
    public string First { get; }

    public string Uid { get; }

    /// <param name="uid">Of the same Pod, whose stream was cut: it is taken up again.</param>
    public static async Task<RegisteredPod> RegisterAsync(Uri node, string ns, string name, object body, CancellationToken stop, string? uid = null)
    {
        var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = node, Timeout = Timeout.InfiniteTimeSpan };
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/v1/namespaces/{ns}/pods/{name}" + (uid is null ? "" : "?uid=" + uid))
        {
            Content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json"),
        };
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
        var lines = new StreamReader(await response.Content.ReadAsStreamAsync(stop));
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw new HttpRequestException($"{(int)response.StatusCode}: {await lines.ReadToEndAsync(stop)}", null, response.StatusCode);
        }

        return new RegisteredPod(client, response, lines, await lines.ReadLineAsync(stop) ?? throw new EndOfStreamException("the registration ended at once"));
    }

    /// <summary>The next line, null when the stream has ended in order.</summary>
    public async Task<string?> NextLineAsync(CancellationToken stop) => await _lines.ReadLineAsync(stop);

    /// <summary>Reads on until the stream ends; the last line tells why, where one came.</summary>
    public async Task<string> UntilEndedAsync(CancellationToken stop)
    {
        var last = "";
        try
        {
            while (await _lines.ReadLineAsync(stop) is { } line)
            {
                last = line;
            }
        }
        catch (Exception cut) when (cut is IOException or HttpRequestException)
        {
            last = cut.Message;
        }

        return last;
    }

    public ValueTask DisposeAsync()
    {
        _lines.Dispose();
        _response.Dispose();
        _client.Dispose();
        return ValueTask.CompletedTask;
    }
}
