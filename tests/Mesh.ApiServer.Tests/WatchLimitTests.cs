using Xunit;

namespace Mesh.ApiServer.Tests;

public sealed class WatchLimitTests(ApiHost host) : IClassFixture<ApiHost>
{
    private const string Namespaces = "/api/v1/namespaces";

    [Fact(Timeout = 60_000)]
    [Trait("Row", "REL-A42")]
    public async Task One_watch_more_than_the_limit_is_429_and_a_closed_one_makes_room()
    {
        var open = new List<Watching>();
        using var refused = await FillAsync(open);
        Assert.Equal(429, refused.Code);

        open[0].Dispose();
        while (true)
        {
            using var again = await Watching.StartAsync(host, $"{Namespaces}?watch=true");
            if (again.Code == 200)
            {
                break;
            }
        }

        open.ForEach(watch => watch.Dispose());
    }

    private async Task<Watching> FillAsync(List<Watching> open)
    {
        while (true)
        {
            var watch = await Watching.StartAsync(host, $"{Namespaces}?watch=true");
            if (watch.Code != 200)
            {
                return watch;
            }

            open.Add(watch);
            Assert.True(open.Count <= host.MaxWatches);
        }
    }
}
