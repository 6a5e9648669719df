using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Mesh.Client;

/// <summary>The four requests of the registration protocol. Failures come back as sentences, never as exceptions.</summary>
internal sealed class NodeClient(NodeEndpoint endpoint, string name) : IDisposable
{
    private readonly HttpClient _http = endpoint.CreateClient();

    public string Name => name;

    /// <summary>Registers, or with a uid takes the stream up again, and reads lines until it ends.</summary>
    /// <param name="observe">Called with the Pod of each line, in order.</param>
    public async Task<StreamEnd> StreamAsync(PodDesired desired, string? uid, Action<JsonElement> observe, CancellationToken stop)
    {
        var lines = 0;
        var deleting = false;
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, Path(desired.Namespace, desired.Name, uid));
            request.Content = JsonContent.Create(desired.ToRegistration(), options: RegistrationProtocol.Json);
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
            if (!response.IsSuccessStatusCode)
            {
                return await RefusedAsync(response, uid, stop);
            }

            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(stop));
            while (await reader.ReadLineAsync(stop) is { } text)
            {
                var line = JsonSerializer.Deserialize<RegistrationProtocol.Line>(text, RegistrationProtocol.Json)!;
                if (line.Type is not ("ADDED" or "MODIFIED" or "DELETED"))
                {
                    return new StreamEnd(lines > 0, Message(text), IsNewPod: true, NameTaken: true);
                }

                lines++;
                deleting |= RegistrationProtocol.IsDeleting(line.Object) || line.Type == "DELETED";
                observe(line.Object);
            }

            return new StreamEnd(lines > 0, "the stream ended", WasDeleted: deleting);
        }
        catch (Exception error) when (error is HttpRequestException or IOException or JsonException or OperationCanceledException)
        {
            return new StreamEnd(lines > 0, error.Message, WasDeleted: deleting);
        }
    }

    /// <summary>Null when the node took it; a change to not ready is answered when this machine routes elsewhere.</summary>
    public async Task<string?> PatchAsync(PodIdentity pod, bool ready, PodMetadataPatch? metadata, CancellationToken stop)
    {
        var body = new Dictionary<string, object?> { ["ready"] = ready };
        if (metadata is not null)
        {
            body["labels"] = metadata.Labels;
            body["annotations"] = metadata.Annotations;
        }

        try
        {
            using var content = JsonContent.Create(body, options: RegistrationProtocol.Json);
            using var response = await _http.PatchAsync(Path(pod.Namespace, pod.Name, pod.Uid), content, stop);
            return response.IsSuccessStatusCode ? null : Message(await response.Content.ReadAsStringAsync(stop));
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            return error.Message;
        }
    }

    public async Task DeleteAsync(PodIdentity pod, CancellationToken stop)
    {
        try
        {
            using var response = await _http.DeleteAsync(Path(pod.Namespace, pod.Name, pod.Uid), stop);
        }
        catch (Exception error) when (error is HttpRequestException or IOException or OperationCanceledException)
        {
            // The connection that closes with the process ends the Pod as well.
        }
    }

    public void Dispose() => _http.Dispose();

    private static string Path(string ns, string name, string? uid) =>
        $"/v1/namespaces/{ns}/pods/{name}" + (uid is null ? "" : $"?uid={uid}");

    private static async Task<StreamEnd> RefusedAsync(HttpResponseMessage response, string? uid, CancellationToken stop)
    {
        var reason = Message(await response.Content.ReadAsStringAsync(stop));

        // With a uid: that Pod has ended meanwhile, so this process registers as a new one. Without: the name is another's.
        var gone = uid is not null && response.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.NotFound or HttpStatusCode.Gone;
        return new StreamEnd(false, reason, IsNewPod: gone, NameTaken: uid is null && response.StatusCode == HttpStatusCode.Conflict);
    }

    /// <summary>The sentence of a Status, or the text as it is.</summary>
    private static string Message(string text)
    {
        try
        {
            using var status = JsonDocument.Parse(text);
            return status.RootElement.TryGetProperty("message", out var message) && message.GetString() is { } sentence ? sentence : text;
        }
        catch (JsonException)
        {
            return text;
        }
    }
}

/// <summary>How a stream ended.</summary>
/// <param name="WasOpen">It had told the Pod at least once.</param>
/// <param name="WasDeleted">The Pod was deleted through the API.</param>
/// <param name="IsNewPod">The uid is no longer alive: the next stream is another Pod.</param>
/// <param name="NameTaken">The name belongs to another living Pod.</param>
internal sealed record StreamEnd(bool WasOpen, string Reason, bool WasDeleted = false, bool IsNewPod = false, bool NameTaken = false);
