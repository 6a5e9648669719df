using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Mesh.Client;

/// <summary>The requests of the registration protocol. Failures come back as sentences, never as exceptions.</summary>
internal sealed class NodeClient(NodeEndpoint endpoint, string name, TimeProvider time) : IDisposable
{
    /// <summary>A node that accepts connections and says nothing is as good as away.</summary>
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(10);

    private readonly HttpClient _http = endpoint.CreateClient();

    public string Name => name;

    /// <summary>Registers, or with a uid takes the stream up again, and reads lines until it ends.</summary>
    /// <param name="observe">Called with each line that shows the Pod, in order.</param>
    /// <remarks>What answers there may be no node at all: nothing that it does is ever thrown at the application.</remarks>
    public async Task<StreamEnd> StreamAsync(PodDesired desired, string? uid, Action<RegistrationProtocol.Line.Pod> observe, CancellationToken stop)
    {
        var (isDeleting, isNode) = (false, false);
        // The limit is for the first line; the stream itself stays open.
        using var limit = new CancellationTokenSource(AnswerTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        try
        {
            using var request = Request(HttpMethod.Put, desired.Namespace, desired.Name, uid, Body(JsonSerializer.SerializeToUtf8Bytes(desired.ToRegistration(), MeshJson.Plain.Registration)), desired.AnswersAt);
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            if (!response.IsSuccessStatusCode)
            {
                return Refused(response.StatusCode, await ReasonAsync(response, either.Token));
            }

            await foreach (var text in LineReader.ReadAsync(await response.Content.ReadAsStreamAsync(either.Token), either.Token))
            {
                limit.CancelAfter(Timeout.InfiniteTimeSpan);
                switch (RegistrationProtocol.Line.Parse(text))
                {
                    case RegistrationProtocol.Line.Pod pod:
                        (isDeleting, isNode) = (pod.IsDeleting, true);
                        observe(pod);
                        break;
                    case RegistrationProtocol.Line.Status status:
                        return isNode && Refused((HttpStatusCode)status.Code, status.Message) is StreamEnd.Lost lost
                            ? new StreamEnd.Ended(lost.Reason)
                            : Refused((HttpStatusCode)status.Code, status.Message);
                    case RegistrationProtocol.Line.Foreign foreign:
                        return new StreamEnd.Lost($"{foreign.What}; {FailureText.NoNode}");
                    default:
                        throw new UnreachableException();
                }
            }

            return isDeleting ? new StreamEnd.Deleted() : new StreamEnd.Lost("the stream ended");
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return new StreamEnd.Lost($"no answer within {AnswerTimeout.TotalSeconds} s");
        }
#pragma warning disable CA1031 // The boundary to whatever listens at the node's address: a stream that fails, however, is a stream that is tried again.
        catch (Exception error)
#pragma warning restore CA1031
        {
            return isDeleting ? new StreamEnd.Deleted() : new StreamEnd.Lost(FailureText.Of(error, isNode));
        }
    }

    /// <summary>A change to not ready is answered when this machine routes elsewhere.</summary>
    public async Task<PatchOutcome> PatchAsync(PodIdentity pod, RegistrationProtocol.Patch patch, CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(AnswerTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        try
        {
            using var request = Request(HttpMethod.Patch, pod.Namespace, pod.Name, pod.Uid, Body(JsonSerializer.SerializeToUtf8Bytes(patch, MeshJson.Plain.Patch)));
            using var response = await _http.SendAsync(request, either.Token);
            return (int)response.StatusCode switch
            {
                < 300 => new PatchOutcome.Taken(),
                // Asked again it would be refused again.
                400 or 413 or 422 => new PatchOutcome.Refused(await ReasonAsync(response, either.Token)),
                _ => new PatchOutcome.Failed(await ReasonAsync(response, either.Token)),
            };
        }
#pragma warning disable CA1031 // As for a stream.
        catch (Exception error) when (!stop.IsCancellationRequested)
#pragma warning restore CA1031
        {
            return new PatchOutcome.Failed(FailureText.Of(error, wasNode: true));
        }
    }

    /// <summary>The Services whose ClusterIP the node serves at a port; none when it does not tell, whatever the reason.</summary>
    public async Task<IReadOnlyList<MeshService>> ServicesAtAsync(int port, TimeSpan within, CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(within, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        try
        {
            using var response = await _http.GetAsync(new Uri($"/v1/services?port={port}", UriKind.Relative), either.Token);
            return response.IsSuccessStatusCode ? RegistrationProtocol.Services(await response.Content.ReadAsByteArrayAsync(either.Token)) : [];
        }
#pragma warning disable CA1031 // As for a stream, and it is only asked to say more.
        catch (Exception)
#pragma warning restore CA1031
        {
            return [];
        }
    }

    /// <summary>Ends the Pod; without success, the connection that closes with this process ends it.</summary>
    public async Task DeleteAsync(PodIdentity pod, TimeSpan within)
    {
        using var limit = new CancellationTokenSource(within, time);
        try
        {
            using var request = Request(HttpMethod.Delete, pod.Namespace, pod.Name, pod.Uid, body: null);
            using var response = await _http.SendAsync(request, limit.Token);
        }
#pragma warning disable CA1031 // As for a stream, and there is nothing left to try.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    public void Dispose() => _http.Dispose();

    /// <param name="answersAt">In the query, which an earlier node reads over; it refuses fields of the body that it does not know.</param>
    private static HttpRequestMessage Request(HttpMethod method, string ns, string name, string? uid, HttpContent? body, string? answersAt = null)
    {
        string[] query = [.. uid is null ? [] : new[] { $"uid={Uri.EscapeDataString(uid)}" }, .. answersAt is null ? [] : new[] { $"answers={answersAt}" }];
        return new HttpRequestMessage(method, $"/v1/namespaces/{ns}/pods/{name}{(query.Length > 0 ? "?" : "")}{string.Join('&', query)}") { Content = body };
    }

    private static ByteArrayContent Body(byte[] json) => new(json) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };

    private static StreamEnd Refused(HttpStatusCode status, string reason) => status switch
    {
        HttpStatusCode.Conflict => new StreamEnd.Conflict(reason),
        HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.UnprocessableEntity => new StreamEnd.Refused(reason),
        _ => new StreamEnd.Lost(reason),
    };

    /// <summary>The sentence of a refusal, or what a stranger's answer looks like.</summary>
    internal static async Task<string> ReasonAsync(HttpResponseMessage response, CancellationToken stop)
    {
        var body = await ReadAsync(response.Content, stop);
        return RegistrationProtocol.Message(body)
            ?? FailureText.OfStranger(response.StatusCode, response.Content.Headers.ContentType?.MediaType, Encoding.UTF8.GetString(body));
    }

    /// <summary>The body of a refusal, so much of it as there may be: its answer is not buffered by the client, as a stream is not.</summary>
    private static async Task<byte[]> ReadAsync(HttpContent content, CancellationToken stop)
    {
        using var body = new MemoryStream();
        var stream = await content.ReadAsStreamAsync(stop);
        var piece = new byte[4096];
        while (await stream.ReadAsync(piece, stop) is > 0 and var read)
        {
            body.Write(piece, 0, read);
            if (body.Length > LineReader.MaxLine)
            {
                throw new InvalidDataException($"an answer of more than {LineReader.MaxLine} bytes");
            }
        }

        return body.ToArray();
    }
}

/// <summary>How a stream ended.</summary>
internal abstract record StreamEnd
{
    private StreamEnd()
    {
    }

    /// <summary>The node is away, or does not want it now: the same Pod is tried again.</summary>
    public sealed record Lost(string Reason) : StreamEnd;

    /// <summary>The silo did not take the Pod, as when its namespace is not there: the node has ended it.</summary>
    public sealed record Ended(string Reason) : StreamEnd;

    /// <summary>Asked again it would be refused again, until the node or its options are others.</summary>
    public sealed record Refused(string Reason) : StreamEnd;

    /// <summary>The name belongs to another living Pod: what is tried next is another one.</summary>
    public sealed record Conflict(string Reason) : StreamEnd;

    /// <summary>The Pod was deleted, here or through the API.</summary>
    public sealed record Deleted : StreamEnd;
}

/// <summary>What became of a change.</summary>
internal abstract record PatchOutcome
{
    private PatchOutcome()
    {
    }

    public sealed record Taken : PatchOutcome;

    /// <summary>It is not one that the node ever takes.</summary>
    public sealed record Refused(string Reason) : PatchOutcome;

    public sealed record Failed(string Reason) : PatchOutcome;
}
