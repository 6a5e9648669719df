using CsCheck;
using static Mesh.Storage.Tests.StoreFixture;

namespace Mesh.Storage.Tests;

/// <summary>Random commits, handed over all at once, against a model that takes them one after another.</summary>
public sealed class CommitModelTests
{
    private const int Deadline = 60_000;
    private const int Samples = 150;

    private enum Act
    {
        Put,
        PutOtherUid,
        PutDeleting,
        Delete,
        Check,
    }

    private enum Condition
    {
        None,
        Absence,
        Activity,
        NewestVersion,
        OlderVersion,
        NewestUid,
        OtherUid,
    }

    private static Gen<Step[]> Commits { get; } =
        (from act in Gen.Enum<Act>()
         from name in Gen.OneOf("a", "b")
         from condition in Gen.OneOf(Gen.Const(Condition.None), Gen.Enum<Condition>())
         select new Step(act, name, condition)).Array[1, 2].Array[1, 12].Select(commits => commits.SelectMany((steps, i) => steps.Select(step => step with { Commit = i })).ToArray());

    [Fact(Timeout = Deadline)]
    [Trait("Row", "REL-A32")]
    public async Task Commits_that_share_transactions_do_what_they_would_do_one_by_one()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        await using var cache = await fixture.StartCacheAsync();
        var model = new Model();
        using var watch = cache.Watch(_ => true, 0);
        var told = new List<StoreChange>();
        var sample = 0;
        await Commits.SampleAsync(
            async steps =>
            {
                var ns = $"s{sample++}";
                var expected = Commands(steps).Select(commit => (Writes: model.Writes(commit, ns), Outcome: model.Commit(commit, ns))).ToList();
                var outcomes = await Task.WhenAll(expected.Select(commit => fixture.Store.CommitAsync(commit.Writes, CommitClass.Request, fixture.Stop)));
                Assert.Equal(expected.Select(commit => commit.Outcome), outcomes.Select(Model.Describe));
                Assert.Equal(model.In(ns), cache.List("", "Pod", ns).Items.Select(Model.Describe));
                while (LastOf(told) < cache.Version)
                {
                    told.AddRange(await watch.NextAsync(fixture.Stop));
                }
            },
            iter: Samples,
            threads: 1);

        await CheckHistoryAsync(fixture, cache, told);
    }

    [Fact]
    public void The_commits_reach_every_interesting_case()
    {
        var seen = new HashSet<string>();
        Commits.Sample(
            steps =>
            {
                var model = new Model();
                foreach (var commit in Commands(steps))
                {
                    var outcome = model.Commit(commit, "ns");
                    seen.Add(outcome.Split(' ')[0]);
                    seen.UnionWith(commit.Select(step => $"{step.Act} {outcome.Split(' ')[0]}"));
                    seen.UnionWith(commit.Select(step => $"{step.Condition} {outcome.Split(' ')[0]}"));
                }
            },
            iter: 2_000,
            threads: 1);

        Assert.Superset(
            new HashSet<string>([
                "committed", "failed", "refused",
                .. Enum.GetNames<Act>().Select(act => $"{act} committed"),
                .. Enum.GetNames<Condition>().Where(name => name != nameof(Condition.OlderVersion) && name != nameof(Condition.OtherUid)).Select(name => $"{name} committed"),
                .. Enum.GetNames<Condition>().Select(name => $"{name} failed"),
            ]),
            seen);
    }

    /// <summary>The watch told each version once and in order, and a cache that starts now is told the same by the log.</summary>
    private static async Task CheckHistoryAsync(StoreFixture fixture, WatchCache cache, List<StoreChange> told)
    {
        Assert.Equal(Enumerable.Range(1, (int)cache.Version).Select(version => (long)version), told.Select(change => change.Object.ResourceVersion));
        await using var late = await fixture.StartCacheAsync();
        using var again = late.Watch(_ => true, 0);
        var read = new List<StoreChange>();
        while (LastOf(read) < late.Version)
        {
            read.AddRange(await again.NextAsync(fixture.Stop));
        }

        Assert.Equal(told.Select(Describe), read.Select(Describe));
        Assert.Equal(cache.List("", "Pod", null).Items.Select(Text), late.List("", "Pod", null).Items.Select(Text));
    }

    private static string Describe(StoreChange change) =>
        $"{change.Type} {change.Object.Key} {Text(change.Object)} was {(change.Previous is null ? "-" : Text(change.Previous))}";

    private static IEnumerable<Step[]> Commands(Step[] steps) => steps.GroupBy(step => step.Commit).Select(commit => commit.ToArray());

    private sealed record Step(Act Act, string Name, Condition Condition, int Commit = 0);

    private static long LastOf(List<StoreChange> told) => told.Count == 0 ? 0 : told[^1].Object.ResourceVersion;

    private sealed record Row(string Uid, long Version, long Created, bool IsDeleting);

    private sealed class Model
    {
        private readonly SortedDictionary<(string Namespace, string Name), Row> _rows = [];
        private long _version;

        public IEnumerable<string> In(string ns) => _rows.Where(row => row.Key.Namespace == ns).Select(row => Describe(row.Value));

        public static string Describe(StoredObject stored) => Describe(new Row(stored.Uid, stored.ResourceVersion, stored.CreatedVersion, stored.IsDeleting));

        public static string Describe(CommitOutcome outcome) => outcome switch
        {
            CommitOutcome.Committed done => "committed " + string.Join(", ", done.Objects.Select(stored => stored is null ? "-" : Describe(stored))),
            CommitOutcome.Failed failed => $"failed {failed.Index} {(failed.Current is { } current ? Describe(current) : "-")}",
            CommitOutcome.Refused refused => $"refused {refused.Index}",
            _ => throw new System.Diagnostics.UnreachableException(),
        };

        public Write[] Writes(Step[] steps, string ns) => [.. steps.Select(step => Write(step, ns))];

        public string Commit(Step[] steps, string ns)
        {
            if (steps is [{ Act: not Act.Check } one, { Act: not Act.Check } two] && one.Name == two.Name)
            {
                return "refused 1";
            }

            for (var i = 0; i < steps.Length; i++)
            {
                var row = _rows.GetValueOrDefault((ns, steps[i].Name));
                if (!Holds(steps[i].Condition, row))
                {
                    return $"failed {i} {(row is null ? "-" : Describe(row))}";
                }
            }

            return "committed " + string.Join(", ", steps.Select(step => Apply(step, ns)));
        }

        private static string Describe(Row row) => $"{row.Uid}@{row.Version} since {row.Created}{(row.IsDeleting ? " deleting" : "")}";

        private static bool Holds(Condition condition, Row? row) => condition switch
        {
            Condition.None => true,
            Condition.Absence => row is null,
            Condition.Activity => row is { IsDeleting: false },
            Condition.NewestVersion or Condition.NewestUid => row is not null,
            _ => false,
        };

        private string Apply(Step step, string ns)
        {
            var key = (ns, step.Name);
            var before = _rows.GetValueOrDefault(key);
            if (step.Act == Act.Check || (step.Act == Act.Delete && before is null))
            {
                return "-";
            }

            _version++;
            if (step.Act == Act.Delete)
            {
                _rows.Remove(key);
                return "-";
            }

            var uid = UidOf(step);
            _rows[key] = new Row(uid, _version, before?.Uid == uid ? before.Created : _version, step.Act == Act.PutDeleting);
            return Describe(_rows[key]);
        }

        private static string UidOf(Step step) => step.Act == Act.PutOtherUid ? "v" : "u";

        /// <summary>Made before the model takes the commit: its versions are those the store will have by then.</summary>
        private Write Write(Step step, string ns)
        {
            var row = _rows.GetValueOrDefault((ns, step.Name));
            var condition = step.Condition switch
            {
                Condition.None => Precondition.None,
                Condition.Absence => Precondition.Absence,
                Condition.Activity => Precondition.Activity,
                Condition.NewestVersion => new Precondition.Is(row?.Version ?? 0, row?.Uid),
                Condition.OlderVersion => new Precondition.Is(row is { Version: > 1 } ? row.Version - 1 : long.MaxValue),
                Condition.NewestUid => new Precondition.Is(0, row?.Uid),
                Condition.OtherUid => new Precondition.Is(0, "another"),
                _ => throw new System.Diagnostics.UnreachableException(),
            };
            var extra = step.Act == Act.PutDeleting ? ",\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"" : "";
            return step.Act switch
            {
                Act.Delete => new Write.Delete(Pod(step.Name, ns), condition),
                Act.Check => new Write.Check(Pod(step.Name, ns), condition),
                _ => new Write.Put(Pod(step.Name, ns), Document(step.Name, UidOf(step), extra), condition),
            };
        }
    }
}
