using Mesh.Hosting.Logging;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.Hosting.Tests.Logging;

/// <summary>Whose lines are heard, and from which level on.</summary>
public sealed class MeshLoggingTests
{
    [Theory]
    [InlineData("Orleans.Runtime.Silo", LogLevel.Error)] // warns of "Not running with ServerGC"
    [InlineData("Orleans.Runtime.Watchdog", LogLevel.Critical)]
    [InlineData("Orleans.Messaging", LogLevel.Critical)]
    [InlineData("Orleans.Runtime.Messaging.MessageCenter", LogLevel.Critical)]
    [InlineData("Polly", LogLevel.Critical)]
    [InlineData("Microsoft.Hosting.Lifetime", LogLevel.Error)]
    [InlineData("Mesh.Api", LogLevel.Information)]
    [Trait("Row", "ORL-2")]
    public void Packages_are_heard_when_something_is_wrong(string category, LogLevel least) => Assert.Equal(least, Least(category, LogLevel.Information));

    [Theory]
    [InlineData("Orleans.Runtime.Silo")]
    [InlineData("Orleans.Runtime.Watchdog")]
    [InlineData("Polly")]
    [Trait("Row", "ORL-2")]
    public void Packages_are_heard_whole_when_debugging(string category) => Assert.Equal(LogLevel.Debug, Least(category, LogLevel.Debug));

    private static LogLevel Least(string category, LogLevel level)
    {
        using var output = new Collected();
        using var services = new ServiceCollection()
            .AddLogging(logging => logging.AddMesh(output, asJson: true, () => level, new FakeTimeProvider()))
            .BuildServiceProvider();
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger(category);
        return Enum.GetValues<LogLevel>().First(logger.IsEnabled);
    }
}
