namespace Mesh.ServiceDiscovery;

/// <summary>Stands inside of the handler that picks endpoints: says at which a request failed, and passes none on to one that failed it before.</summary>
internal sealed class AttemptHandler : DelegatingHandler
{
    /// <summary>Of a request that is sent again: where it failed.</summary>
    public static readonly HttpRequestOptionsKey<HashSet<string>> FailedAt = new("mesh.failed_at");

    private const string EndpointKey = "mesh.endpoint";

    /// <summary>Null when it failed before an endpoint was picked.</summary>
    public static string? EndpointOf(HttpRequestException failure) => failure.Data[EndpointKey] as string;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Options.TryGetValue(FailedAt, out var failed) && failed.Contains(AuthorityOf(request)))
        {
            throw new PickedAgainException();
        }

        try
        {
            return await base.SendAsync(request, cancellationToken);
        }
        catch (HttpRequestException failure)
        {
            failure.Data[EndpointKey] = AuthorityOf(request);
            throw;
        }
    }

    private static string AuthorityOf(HttpRequestMessage request) => request.RequestUri?.Authority ?? "";

#pragma warning disable CA1032, CA1064, RCS1194 // Goes from this handler to the one outside of it, and no further.
    internal sealed class PickedAgainException : Exception;
#pragma warning restore CA1032, CA1064, RCS1194
}
