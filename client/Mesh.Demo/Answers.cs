using System.Net;
using System.Text.Json;

namespace Mesh.Demo;

/// <summary>Asks Soup backends, each request on a connection of its own.</summary>
internal sealed class Answers : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, PooledConnectionLifetime = TimeSpan.Zero })
    {
        Timeout = TimeSpan.FromSeconds(5),
    };

    public void Dispose() => _http.Dispose();

    public async Task<JsonElement> GetAsync(Uri url, string? host, CancellationToken stop) =>
        await TryGetAsync(url, host, stop) ?? throw new DemoException($"GET {url} (Host {host}) was not answered");

    /// <summary>Null when it is not answered, or not with success.</summary>
    public async Task<JsonElement?> TryGetAsync(Uri url, string? host, CancellationToken stop, string? traceparent = null)
    {
        try
        {
            var (status, text) = await AskAsync(url, host, stop, traceparent);
            if (status is not HttpStatusCode.OK)
            {
                return null;
            }

            using var body = JsonDocument.Parse(text);
            return body.RootElement.Clone();
        }
        catch (Exception unanswered) when (unanswered is HttpRequestException or OperationCanceledException { InnerException: TimeoutException })
        {
            return null;
        }
    }

    public async Task<(HttpStatusCode Status, string Body)> AskAsync(Uri url, string? host, CancellationToken stop, string? traceparent = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Host = host;
        request.Headers.ConnectionClose = true;
        if (traceparent is not null)
        {
            request.Headers.Add("traceparent", traceparent); // W3C Trace Context, 3.2
        }

        using var response = await _http.SendAsync(request, stop);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(stop));
    }
}
