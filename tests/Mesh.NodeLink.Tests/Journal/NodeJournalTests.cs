using System.Collections.Immutable;
using System.Text;
using CsCheck;
using Mesh.Core.Routing;
using Mesh.NodeLink.Journal;
using Mesh.NodeLink.Wire;
using Xunit;
using static Mesh.NodeLink.Tests.Journal.SomeChanges;
using EndpointsChange = Mesh.Core.Routing.EndpointsChange;

namespace Mesh.NodeLink.Tests.Journal;

public sealed class NodeJournalTests
{
    private static readonly Gen<RoutingChange> SomeChange = Gen.OneOf<RoutingChange>(
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, 1], Gen.Long[1, 9]).Select((name, uid, version) =>
            (RoutingChange)new RoutingChange.ServiceSpec(Document($"s{name}", $"u{uid}", version), null)),
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, 1], Gen.Bool, Gen.Bool, Gen.Select(Gen.Int[0, 3], Gen.Int[1, 3], Gen.Int[1, 4], Gen.Bool).Array[0, 4]).Select((name, uid, full, synced, rows) =>
            (RoutingChange)new RoutingChange.ServiceEndpoints(Name($"s{name}"), new EndpointsChange($"u{uid}", full, synced, 1, [.. rows.Select(Row)]))),
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, 1]).Select((name, uid) => (RoutingChange)new RoutingChange.ServiceRemoved(Name($"s{name}"), $"u{uid}")),
        Gen.Int[0, 2].Select(name => (RoutingChange)new RoutingChange.IngressSpec(Document($"i{name}", "u", 1))),
        Gen.Int[0, 2].Select(name => (RoutingChange)new RoutingChange.IngressRemoved(Name($"i{name}"), "u")),
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, 2]).Select((name, what) => what switch { 0 => new RoutingChange.Certificate(Document($"k{name}", "u", 1)), 1 => new RoutingChange.CertificateRemoved(Name($"k{name}")), _ => (RoutingChange)new RoutingChange.DefaultCertificate(new byte[] { 1, (byte)name }) }),
        Gen.Int[0, 2].Select(name => (RoutingChange)new RoutingChange.PodSpec(Document($"p{name}", "u", 1))),
        Gen.Select(Gen.Int[0, 2], Gen.Bool).Select((name, exists) => (RoutingChange)new RoutingChange.NamespaceExists($"n{name}", exists)),
        Gen.Select(Gen.Int[0, 2], Gen.Bool).Select((name, ours) => (RoutingChange)new RoutingChange.IngressClass($"c{name}", ours)),
        Gen.Select(Gen.Int[0, 2], Gen.Bool).Select((name, silent) => (RoutingChange)new RoutingChange.NodeSilent($"m{name}", silent)));

    [Fact(Timeout = 30_000)]
    public async Task A_start_is_numbered_above_what_the_silo_knew_and_a_journal_that_no_silo_answered_says_so()
    {
        using var place = new Place();
        var lost = Open(place.Journal);
        Assert.Equal((1U, true), (lost.Incarnation, lost.IsProvisional));
        await lost.CountFromAsync(7);
        await lost.DisposeAsync();

        var next = Open(place.Journal);
        Assert.Equal((8U, true), (next.Incarnation, next.IsProvisional));
        next.Keep(FakeSilo.Options);
        await next.DisposeAsync();

        var welcomed = Open(place.Journal);
        Assert.Equal((9U, false), (welcomed.Incarnation, welcomed.IsProvisional));
        await welcomed.DisposeAsync();

        File.AppendAllBytes(place.Journal, [1, 2, 3]);
        var torn = Open(place.Journal);
        Assert.Equal((10U, true), (torn.Incarnation, torn.IsProvisional));
        await torn.DisposeAsync();
    }

    [Theory]
    [InlineData(5, false, 5, false)]
    [InlineData(5, true, 5, true)]
    [InlineData(5, true, 4, false)]
    [InlineData(5, false, 6, true)]
    [InlineData(1, true, 0, false)]
    public void A_start_is_outnumbered_by_another_of_its_number_or_above(uint own, bool provisional, uint known, bool outnumbered) =>
        Assert.Equal(outnumbered, IncarnationRule.IsOutnumbered(new Hello { Incarnation = own, Provisional = provisional }, known));

    [Fact]
    public void A_journal_cut_at_any_byte_is_the_records_before_the_cut() =>
        Gen.Select(SomeChange.Array[1, 12], Gen.Int[0, 10_000]).Sample((changes, at) =>
        {
            using var place = new Place();
            Write(place.Journal, changes);
            var bytes = File.ReadAllBytes(place.Journal);
            var cut = at % (bytes.Length + 1);
            File.WriteAllBytes(place.Journal, bytes[..cut]);

            var expected = new JournalState();
            var whole = 0;
            while (JournalFrame.Read(bytes.AsMemory(whole, cut - whole), out var size) is { } record)
            {
                expected.Apply(record);
                whole += size;
            }

            var reopened = Open(place.Journal);
            var text = Text(reopened.Changes);
            Close(reopened);
            Assert.Equal(Text(expected), text);
            // What was torn is gone for good, and the new start stands right behind what was whole.
            Assert.Equal(bytes[..whole], File.ReadAllBytes(place.Journal)[..whole]);
        }, iter: 300);

    [Fact]
    public void A_changed_byte_ends_the_journal_there_and_is_never_believed() =>
        Gen.Select(SomeChange.Array[1, 8], Gen.Int[0, 10_000], Gen.Int[1, 255]).Sample((changes, at, flip) =>
        {
            using var place = new Place();
            Write(place.Journal, changes);
            var bytes = File.ReadAllBytes(place.Journal);
            var index = at % bytes.Length;
            bytes[index] ^= (byte)flip;
            File.WriteAllBytes(place.Journal, bytes);

            var expected = new JournalState();
            var whole = 0;
            while (JournalFrame.Read(bytes.AsMemory(whole), out var size) is { } record)
            {
                expected.Apply(record);
                whole += size;
            }

            Assert.True(whole <= index, $"byte {index} was changed, and {whole} bytes were believed");
            var reopened = Open(place.Journal);
            Assert.Equal(Text(expected), Text(reopened.Changes));
            Close(reopened);
        }, iter: 300);

    [Fact]
    public void A_compacted_journal_says_what_the_long_one_said() =>
        SomeChange.Array[1, 40].Sample(changes =>
        {
            var all = new JournalState();
            foreach (var record in FramesOf(changes))
            {
                all.Apply(record);
            }

            var compacted = new JournalState();
            long size = 0;
            foreach (var record in all.Records())
            {
                compacted.Apply(record);
                size += JournalFrame.HeaderSize + record.CalculateSize();
            }

            Assert.Equal(Text(all), Text(compacted));
            Assert.Equal(all.Size, compacted.Size);
            Assert.True(all.Size <= size, $"{all.Size} counted, {size} written");
        }, iter: 1000);

    [Fact]
    public void The_generator_reaches_services_with_endpoints_removals_and_mixed_rows()
    {
        int endpoints = 0, removed = 0, ended = 0;
        SomeChange.Array[1, 40].Sample(changes =>
        {
            var state = new JournalState();
            foreach (var record in FramesOf(changes))
            {
                state.Apply(record);
            }

            Interlocked.Add(ref endpoints, state.Records().Count(record => record.Rows is { Rows.Count: > 1 }));
            Interlocked.Add(ref removed, changes.Count(change => change is RoutingChange.ServiceRemoved));
            Interlocked.Add(ref ended, changes.OfType<RoutingChange.ServiceEndpoints>().Sum(change => change.Endpoints.Rows.Count(row => row.Ended)));
        }, iter: 500);

        Assert.True(endpoints > 5 && removed > 50 && ended > 50, $"{endpoints} {removed} {ended}");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_restarted_node_has_its_options_registrations_and_a_greater_incarnation()
    {
        var stop = TestContext.Current.CancellationToken;
        using var place = new Place();
        var first = Open(place.Journal);
        first.Keep(FakeSilo.Options);
        await first.WriteAsync(new Registration { Namespace = "default", Name = "a", Uid = "u1", Version = 1, BootId = "boot" }, stop);
        await first.WriteAsync(new Registration { Namespace = "default", Name = "a", Uid = "u1", Version = 2, BootId = "boot" }, stop);
        await first.WriteAsync(new Registration { Namespace = "default", Name = "b", Uid = "u2", Version = 1, BootId = "boot" }, stop);
        await first.EndAsync("u2", stop);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(place.Journal));
        await first.DisposeAsync();

        await using var second = Open(place.Journal);

        Assert.Equal(first.Incarnation + 1, second.Incarnation);
        Assert.Equal(NodeOptionsDocument.Write(FakeSilo.Options), NodeOptionsDocument.Write(second.Options!));
        var registration = Assert.Single(second.Registrations);
        Assert.Equal(("u1", 2), (registration.Uid, registration.Version));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_registration_is_there_without_any_flush()
    {
        var stop = TestContext.Current.CancellationToken;
        using var place = new Place();
        await using var killed = Open(place.Journal);
        await killed.WriteAsync(new Registration { Uid = "u1" }, stop);
        // As after kill -9: what the kernel has is all there is.
        File.Copy(place.Journal, place.Journal + ".copy");

        await using var next = Open(place.Journal + ".copy");

        Assert.Equal("u1", Assert.Single(next.Registrations).Uid);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_registration_is_never_there_without_what_it_was_taken_under()
    {
        var stop = TestContext.Current.CancellationToken;
        using var place = new Place();
        await using var killed = Open(place.Journal);
        killed.Keep(FakeSilo.Options);
        killed.Keep([new RoutingChange.NamespaceExists("default", true)], synced: false);
        await killed.WriteAsync(new Registration { Uid = "u1" }, stop);
        File.Copy(place.Journal, place.Journal + ".copy");

        await using var next = Open(place.Journal + ".copy");

        Assert.NotNull(next.Options);
        Assert.Equal(new RoutingChange.NamespaceExists("default", true), Assert.Single(next.Changes));
        Assert.Equal("u1", Assert.Single(next.Registrations).Uid);
    }

    [Fact(Timeout = 30_000)]
    public async Task What_a_new_link_does_not_tell_again_is_dropped_when_it_is_synced()
    {
        using var place = new Place();
        var stop = TestContext.Current.CancellationToken;
        await using (var journal = Open(place.Journal))
        {
            await journal.WriteAsync(new Registration { Uid = "u1" }, stop);
            journal.Keep([Spec("kept"), Spec("gone"), new RoutingChange.IngressSpec(Document("gone", "u", 1)), new RoutingChange.NamespaceExists("gone", true)], synced: true);
            journal.BeginResync();
            journal.Keep([Spec("kept")], synced: false);
            journal.Keep([], synced: true);
        }

        await using var next = Open(place.Journal);

        Assert.Equal("kept", Assert.IsType<RoutingChange.ServiceSpec>(Assert.Single(next.Changes)).Object.Name.Name);
        Assert.Single(next.Registrations);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_journal_that_grew_is_compacted_and_loses_nothing()
    {
        var stop = TestContext.Current.CancellationToken;
        using var place = new Place();
        await using (var journal = Open(place.Journal))
        {
            await journal.WriteAsync(new Registration { Uid = "u1" }, stop);
            for (var i = 0; i < 20_000; i++)
            {
                journal.Keep([Spec("web"), new RoutingChange.ServiceEndpoints(Name("web"), new EndpointsChange("u-web", false, true, 1, [Row((i % 10, 1, i, false))]))], synced: false);
                if (i % 1000 == 0)
                {
                    journal.Flush();
                }
            }
        }

        Assert.InRange(new FileInfo(place.Journal).Length, 1, 1 << 20);
        await using var next = Open(place.Journal);
        Assert.Equal("u1", Assert.Single(next.Registrations).Uid);
        var endpoints = Assert.Single(next.Changes.OfType<RoutingChange.ServiceEndpoints>()).Endpoints;
        Assert.Equal(10, endpoints.Rows.Length);
        Assert.Equal(19_999ul, endpoints.Rows.Max(row => row.Order.Liveness));
    }

    [Fact(Timeout = 60_000)]
    public async Task Registrations_written_while_the_journal_is_compacted_are_in_the_new_file()
    {
        var stop = TestContext.Current.CancellationToken;
        using var place = new Place();
        var journal = Open(place.Journal);
        var request = Google.Protobuf.ByteString.CopyFrom(new byte[2_000]);
        var compacting = Task.Run(
            () =>
            {
                for (var i = 0; i < 100; i++)
                {
                    journal.Flush();
                }
            },
            stop);
        var written = 0;
        for (; !compacting.IsCompleted || written < 1_000; written++)
        {
            // Each uid more than twice, so that there is always something to compact.
            await journal.WriteAsync(new Registration { Uid = $"u{written % 200}", Version = written, Request = request }, stop);
        }

        await compacting;
        journal.Flush();
        var file = new FileInfo(place.Journal).Length;
        await journal.DisposeAsync();

        Assert.InRange(file, 1, (2_100 * 200 * 2) + 4096);
        await using var next = Open(place.Journal);
        Assert.Equal(Enumerable.Range(written - 200, 200).Select(version => (long)version), next.Registrations.Select(registration => registration.Version).Order());
    }

    [Fact(Timeout = 60_000)]
    public async Task A_disk_that_takes_no_new_file_costs_the_old_one_nothing()
    {
        var stop = TestContext.Current.CancellationToken;
        using var place = new Place();
        var journal = Open(place.Journal);
        for (var i = 0; i < 2_000; i++)
        {
            await journal.WriteAsync(new Registration { Uid = "u1", Version = i, Request = Google.Protobuf.ByteString.CopyFrom(new byte[200]) }, stop);
        }

        var before = new FileInfo(place.Journal).Length;
        File.CreateSymbolicLink(place.Journal + ".new", "/dev/full");
        journal.Flush();
        Assert.Equal(before, new FileInfo(place.Journal).Length);
        Assert.False(new FileInfo(place.Journal + ".new").Exists);

        await journal.WriteAsync(new Registration { Uid = "u2" }, stop);
        journal.Flush();
        await journal.DisposeAsync();

        Assert.InRange(new FileInfo(place.Journal).Length, 1, 4096);
        await using var next = Open(place.Journal);
        Assert.Equal(["u1", "u2"], next.Registrations.Select(registration => registration.Uid).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_journal_of_nothing_but_zeros_or_noise_is_an_empty_one()
    {
        foreach (var bytes in new byte[][] { new byte[4096], Encoding.ASCII.GetBytes(new string('x', 4096)), [1], [] })
        {
            using var place = new Place();
            File.WriteAllBytes(place.Journal, bytes);
            var journal = Open(place.Journal);
            Assert.Empty(journal.Changes);
            Assert.Equal(1u, journal.Incarnation);
            Close(journal);
        }
    }

    private static void Close(NodeJournal journal) => journal.DisposeAsync().AsTask().GetAwaiter().GetResult();

    private static void Write(string path, IEnumerable<RoutingChange> changes)
    {
        var journal = Open(path);
        journal.Keep([.. changes], synced: false);
        Close(journal);
    }

    private static List<JournalRecord> FramesOf(IEnumerable<RoutingChange> changes)
    {
        using var place = new Place();
        Write(place.Journal, changes);
        var records = new List<JournalRecord>();
        var bytes = File.ReadAllBytes(place.Journal).AsMemory();
        while (JournalFrame.Read(bytes, out var size) is { } record)
        {
            records.Add(record);
            bytes = bytes[size..];
        }

        return records;
    }

    private static string Text(JournalState state) => Text(state.Records().Where(record => record.Change is not null || record.Rows is not null).Select(record => record.ToString()));

    private static string Text(ImmutableArray<RoutingChange> changes) => Text(changes.Select(change =>
    {
        var wire = WireFormat.ToWire(change);
        if (wire.Service?.Endpoints is not { } endpoints)
        {
            return new JournalRecord { Change = wire }.ToString();
        }

        var rows = new EndpointRows
        {
            Namespace = wire.Service.Object.Namespace,
            Name = wire.Service.Object.Name,
            ServiceUid = wire.Service.Object.Uid,
            Full = endpoints.Full,
            Synced = endpoints.Synced,
            SpecVersion = endpoints.SpecVersion,
        };
        rows.Rows.AddRange(endpoints.Rows);
        return new JournalRecord { Rows = rows }.ToString();
    }));

    private static string Text(IEnumerable<string> records) => string.Join('\n', records.Order(StringComparer.Ordinal));
}
