using Mesh.Hosting.Processes;
using Xunit;

namespace Mesh.Hosting.Tests.Processes;

public sealed class ProcessLimitsTests
{
    [Theory]
    [InlineData("256", "unlimited", "only 256 files")]
    [InlineData("511", "unlimited", "only 511 files")]
    [InlineData("512", "unlimited", null)]
    [InlineData("unlimited", "4294967296", "only 4096 MiB of address space")]
    [InlineData("unlimited", "6442450944", null)]
    public void Too_low_a_limit_is_refused(string files, string bytes, string? told)
    {
        var refusal = ProcessLimits.Refusal(
        [
            "Limit                     Soft Limit           Hard Limit           Units     ",
            "Max processes             62000                62000                processes ",
            $"Max open files            {files,-20} {files,-20} files     ",
            $"Max address space         {bytes,-20} {bytes,-20} bytes     ",
        ]);

        Assert.Equal(told is null, refusal is null);
        Assert.StartsWith(told ?? "", refusal ?? "", StringComparison.Ordinal);
    }
}
