DROP INDEX rosters_with_faults_index;
