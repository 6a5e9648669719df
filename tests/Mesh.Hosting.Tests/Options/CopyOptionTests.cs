using System.Collections;
using Mesh.Hosting.Options;
using Xunit;

namespace Mesh.Hosting.Tests.Options;

public sealed class CopyOptionTests
{
    [Fact]
    [Trait("Row", "R-S8")]
    public void A_copy_is_taken_and_restored_by_name_from_any_directory()
    {
        Assert.Equal(new OptionsOutcome.Backup("/d", "/b/copy.db"), Parse("--data-dir", "/d", "--backup", "/b/copy.db"));
        Assert.Equal(new OptionsOutcome.Restore("/d", Path.GetFullPath("copy.db")), Parse("--restore=copy.db", "--data-dir", "/d"));
    }

    [Theory]
    [InlineData("--backup needs a value", "--backup")]
    [InlineData("--backup and --restore are two commands: give one", "--restore", "a", "--backup", "b")]
    [InlineData("--backup and --stop are two commands: give one", "--stop", "--backup", "b")]
    [InlineData(
        "--backup is for the store in the data directory: copy PostgreSQL with pg_dump, and put it back with pg_restore", "--store", "postgres://db/mesh", "--backup", "b")]
    [Trait("Row", "R-S8")]
    public void What_cannot_be_meant_is_refused(string told, params string[] arguments) => Assert.Equal(new OptionsOutcome.Refused(told), Parse(arguments));

    [Fact]
    public void No_variable_and_no_node_copies_anything()
    {
        Assert.IsType<OptionsOutcome.Run>(OptionsParser.Parse([], new Hashtable { ["MESH_BACKUP"] = "b" }, "host", OptionTable.Silo));
        Assert.StartsWith("unknown option --backup", Assert.IsType<OptionsOutcome.Refused>(OptionsParser.ParseDataDir(["--backup", "b"], new Hashtable())).Line, StringComparison.Ordinal);
    }

    private static OptionsOutcome Parse(params string[] arguments) => OptionsParser.Parse(arguments, new Hashtable(), "host", OptionTable.Silo);
}
