using Mesh.Hosting.Processes;
using Xunit;

namespace Mesh.Hosting.Tests.Processes;

/// <summary>A failure that nobody foresaw is told by its type and message, one that tells itself by its message alone.</summary>
public sealed class LastWordsTests
{
    public static TheoryData<Exception, string> Failures => new()
    {
        { new StartRefusedException("the port is taken"), "the port is taken" },
        { new IOException("No space left on device : '/data/ca.key.new'"), "No space left on device : '/data/ca.key.new'" },
        { new UnauthorizedAccessException("Access to the path '/data' is denied."), "Access to the path '/data' is denied." },
        { new InvalidOperationException("no such row"), "InvalidOperationException: no such row" },
        { new AggregateException(new FormatException("odd")), "FormatException: odd" },
        { new TypeInitializationException("T", new DllNotFoundException("e_sqlite3")), "DllNotFoundException: e_sqlite3" },
        { new InsufficientMemoryException(), "there is not enough memory (is a limit set, such as ulimit -v?)" },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public void A_failure_is_described_in_one_line(Exception failure, string line) => Assert.Equal(line, LastWords.Describe(failure));
}
