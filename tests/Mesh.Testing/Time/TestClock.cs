namespace Mesh.Testing.Time;

/// <summary>
/// The clock of tests that do not move one themselves: the machine's; with <c>MESH_TEST_CLOCK=restless</c> in the environment,
/// as <c>.ci/run</c> sets it, one on which the same tests must pass.
/// </summary>
public static class TestClock
{
    public static TimeProvider Machine { get; } = IsRestless ? new RestlessClock(TimeProvider.System) : TimeProvider.System;

    private static bool IsRestless => Environment.GetEnvironmentVariable("MESH_TEST_CLOCK") == "restless";

    /// <summary>A clock that the test moves, with a wall clock as above.</summary>
    public static TimeProvider Over(TimeProvider moved) => IsRestless ? new RestlessClock(moved, isStopped: false) : moved;
}
