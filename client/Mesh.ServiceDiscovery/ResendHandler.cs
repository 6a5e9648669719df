using System.Net.Http.Json;
using System.Runtime.ExceptionServices;

namespace Mesh.ServiceDiscovery;

/// <summary>
/// Brings a request whose endpoint failed it to another: one of which nothing had left whatever its method, else only where
/// doing it twice is doing it once (RFC 9110, 9.2.2). Stands outside of the handler that picks endpoints;
/// <see cref="AttemptHandler"/> inside of it says which one was picked. A request that succeeds costs nothing.
/// </summary>
internal sealed class ResendHandler : DelegatingHandler
{
    /// <summary>Endpoints that one request is brought to.</summary>
    private const int MostAttempts = 4;

    /// <summary>Endpoints come around by turns that others take too: so often the next is one that has failed already.</summary>
    private const int MostPicks = 16;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        HttpRequestException failure;
        try
        {
            return await base.SendAsync(request, cancellationToken);
        }
        catch (HttpRequestException failed) when (MayResend(request, failed))
        {
            failure = failed;
        }

        return await ResendAsync(request, failure, cancellationToken);
    }

    private async Task<HttpResponseMessage> ResendAsync(HttpRequestMessage request, HttpRequestException failure, CancellationToken cancellationToken)
    {
        var failedAt = new HashSet<string>(StringComparer.Ordinal) { AttemptHandler.EndpointOf(failure)! };
        request.Options.Set(AttemptHandler.FailedAt, failedAt);
        try
        {
            for (var pick = 0; pick < MostPicks && failedAt.Count < MostAttempts; pick++)
            {
                try
                {
                    var response = await base.SendAsync(request, cancellationToken);
                    DiscoveryMetrics.Resent(IsUnsent(failure));
                    return response;
                }
                catch (AttemptHandler.PickedAgainException)
                {
                    // Nothing was sent; the next in turn is another.
                }
                catch (HttpRequestException failed) when (MayResend(request, failed))
                {
                    DiscoveryMetrics.Resent(IsUnsent(failure));
                    failedAt.Add(AttemptHandler.EndpointOf(failure = failed)!);
                }
            }
        }
        finally
        {
            // Whoever sends the same request again, around this, begins anew.
            ((IDictionary<string, object?>)request.Options).Remove(AttemptHandler.FailedAt.Key);
        }

        ExceptionDispatchInfo.Throw(failure);
        return null!; // not reached
    }

    private static bool MayResend(HttpRequestMessage request, HttpRequestException failure) =>
        AttemptHandler.EndpointOf(failure) is not null
        && (IsUnsent(failure) || (IsBroken(failure) && IsIdempotent(request.Method) && IsReadAgain(request.Content)));

    private static bool IsUnsent(HttpRequestException failure) => failure.HttpRequestError == HttpRequestError.ConnectionError;

    /// <summary>The connection ended under the request, as when a process is killed.</summary>
    private static bool IsBroken(HttpRequestException failure) =>
        failure.HttpRequestError == HttpRequestError.ResponseEnded
        || (failure.HttpRequestError is HttpRequestError.Unknown or HttpRequestError.HttpProtocolError && failure.InnerException is IOException);

    private static bool IsIdempotent(HttpMethod method) =>
        method == HttpMethod.Get || method == HttpMethod.Head || method == HttpMethod.Options || method == HttpMethod.Trace
        || method == HttpMethod.Put || method == HttpMethod.Delete;

    /// <summary>What comes from a stream is gone once it was sent.</summary>
    private static bool IsReadAgain(HttpContent? content) => content is null or ByteArrayContent or ReadOnlyMemoryContent or JsonContent;
}
