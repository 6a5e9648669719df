using Mesh.Hosting.Options;
using Xunit;

namespace Mesh.Hosting.Tests.Options;

public sealed class SecretsTests
{
    [Theory]
    [InlineData("--store postgres://mesh:secret@db:5432/mesh: not in this version", "--store postgres://***@db:5432/mesh: not in this version")]
    [InlineData("'postgres://mesh:se@c/r:et@db/mesh'", "'postgres://***@db/mesh'")]
    [InlineData("postgres://mesh:two secret words@db/mesh", "postgres://***@db/mesh")]
    [InlineData("postgres://db/mesh?user=mesh&password=secret&x=1", "postgres://db/mesh?user=mesh&password=***&x=1")]
    [InlineData("Host=db;Password=secret;Database=mesh", "Host=db;Password=***;Database=mesh")]
    [InlineData("Host=db;PWD = two secret words", "Host=db;PWD = ***")]
    [InlineData("http://127.0.0.1:6480 does not answer", "http://127.0.0.1:6480 does not answer")]
    [InlineData("mail to a@b", "mail to a@b")]
    public void A_password_is_not_printed(string text, string printed)
    {
        Assert.Equal(printed, Secrets.Hide(text));
        Assert.Equal(printed, Secrets.Hide(Secrets.Hide(text)));
    }
}
