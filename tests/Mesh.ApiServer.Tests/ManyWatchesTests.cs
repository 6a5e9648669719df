using System.Net;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>The limit as it ships.</summary>
public sealed class ManyWatchesTests(ManyWatchesTests.DefaultHost host) : IClassFixture<ManyWatchesTests.DefaultHost>
{
    private const string Watch = "/api/v1/namespaces?watch=true&fieldSelector=metadata.name%3Dnobody";

    [Fact(Timeout = 120_000)]
    public async Task A_thousand_watches_are_open_at_once_and_the_next_is_429_with_a_time_to_try_again()
    {
        var stop = TestContext.Current.CancellationToken;
        using var http = host.NewClient(ApiHost.Token);
        http.DefaultRequestVersion = HttpVersion.Version20; // a hundred watches a connection
        http.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        var open = new List<HttpResponseMessage>();
        for (var i = 0; i < 1000; i++)
        {
            open.Add(await http.GetAsync(Watch, HttpCompletionOption.ResponseHeadersRead, stop));
        }

        Assert.All(open, response => Assert.Equal(200, (int)response.StatusCode));
        using var refused = await http.GetAsync(Watch, stop);
        Assert.Equal(429, (int)refused.StatusCode);
        Assert.Equal("1", refused.Headers.GetValues("Retry-After").Single());
        Assert.Equal(200, (await host.Http.SendAsync("GET", "/api/v1/namespaces")).Code);
        open.ForEach(response => response.Dispose());
    }

    public sealed class DefaultHost : ApiHost
    {
        public override int MaxWatches => new ApiOptions().MaxWatches;
    }
}
