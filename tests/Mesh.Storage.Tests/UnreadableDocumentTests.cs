using Microsoft.Data.Sqlite;
using static Mesh.Storage.Tests.StoreFixture;

namespace Mesh.Storage.Tests;

public sealed class UnreadableDocumentTests
{
    private const int Deadline = 30_000;

    [Fact(Timeout = Deadline)]
    [Trait("Row", "CP-D17")]
    public async Task A_stored_document_that_cannot_be_read_fails_its_own_deletion_and_nothing_else_of_the_transaction()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        await fixture.MustCommitAsync(Put("poison"));
        using (var other = new SqliteConnection($"Data Source={fixture.Database};Pooling=False"))
        {
            other.Open();
            Queries.Read(other, null, "UPDATE objects SET document = X'7B22'");
        }

        using var gate = new LoopGate(fixture.Store);
        var first = await gate.HoldAsync(() => fixture.MustCommitAsync(Put("first")));
        var before = fixture.MustCommitAsync(Put("before"));
        var poison = fixture.CommitAsync(Put("with it"), new Write.Delete(Pod("poison"), Precondition.None));
        var after = fixture.MustCommitAsync(Put("after"));
        gate.Open();
        await Task.WhenAll(first, before, after);

        Assert.Equal(1, Assert.IsType<CommitOutcome.Refused>(await poison).Index);
        Assert.Equal((3, 4), ((await before).Version, (await after).Version));
        Assert.Null(await fixture.Store.ReadAsync(Pod("with it"), fixture.Stop));
        await fixture.MustCommitAsync(Put("poison"));
        await fixture.MustCommitAsync(new Write.Delete(Pod("poison"), Precondition.None));
    }
}
