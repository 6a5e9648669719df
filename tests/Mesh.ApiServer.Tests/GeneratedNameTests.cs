using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>Names that the API draws, with a chance that repeats itself.</summary>
public sealed class GeneratedNameTests(GeneratedNameTests.StutteringHost host) : IClassFixture<GeneratedNameTests.StutteringHost>
{
    private const string Services = "/api/v1/namespaces/default/services";

    [Fact(Timeout = 30_000)]
    [Trait("Row", "REL-A15")]
    public async Task A_name_that_is_taken_is_drawn_again()
    {
        var names = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            var created = await host.Http.SendAsync("POST", Services, """{"metadata":{"generateName":"drawn-"},"spec":{"ports":[{"port":80}]}}""");
            Assert.Equal(201, created.Code);
            names.Add(created.Body!["metadata"]!["name"]!.GetValue<string>());
        }

        Assert.Equal(["drawn-bbbbb", "drawn-ccccc", "drawn-ddddd"], names);
    }

    public sealed class StutteringHost : ApiHost
    {
        protected override void ConfigureStorage(IServiceCollection services, string directory)
        {
            base.ConfigureStorage(services, directory);
            services.AddSingleton(new Chance(new Stutter()));
        }
    }

    /// <summary>Draws each suffix twice.</summary>
    private sealed class Stutter : Random
    {
        private int _draws;

        public override int Next(int maxValue) => _draws++ / 10 % maxValue;
    }
}
